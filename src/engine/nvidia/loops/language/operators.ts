/** Operators of language models as loop values; attention is made of products and softmax already. */
import { floatOf, intOf } from '../attributes.js';
import type { Convert } from '../conversion.js';
import { literal } from '../operators.js';
import type { Value } from '../value.js';
import { cachedAttention } from './cached-attention.js';
import { quantisedProduct } from './quantised-product.js';

/** [batch, tokens, heads * headWidth] by tables [tokens, headWidth / 2]: both halves of a head in one map. */
const rotary: Convert = ({ values, node, given }) => {
  const [x, , cosine, sine] = given as [Value, undefined, Value, Value];
  const [batch, tokens, width] = x.shape as [number, number, number];
  const half = cosine.shape[1]!;
  const halves = [batch, tokens, intOf(node.attributes['num_heads']), 2, half];
  const split = values.reshape(x, halves);
  const other = values.slice(split, [0, 0, 0, 1, 0], [1, 1, 1, -1, 1], halves);
  const [c, s] = [cosine, sine].map((table) => values.reshape(table, [tokens, 1, 1, half])) as [Value, Value];
  const bytes = new Uint8Array(Float32Array.of(-1, 1).buffer);
  const sign = values.make({ kind: 'constant', bytes }, [2, 1], 'float32');
  const turned = values.map('$0 * $2 + $1 * ($3 * $4)', [split, other, c, s, sign]);
  return values.reshape(turned, [batch, tokens, width]);
};

/** RMSNorm; its second result is 1 / rms. */
const rmsNorm: Convert = ({ values, node, given }) => {
  const [x, scale] = given as [Value, Value];
  const squares = values.reduce('sum', values.map('$0 * $0', [x]));
  const epsilon = literal(floatOf(node.attributes['epsilon'], 1e-5));
  const inverse = values.map(`1.0f / sqrtf($0 * ${literal(1 / x.shape.at(-1)!)} + ${epsilon})`, [squares]);
  return [values.map('$0 * $1 * $2', [x, inverse, scale]), inverse];
};

export const languageConverters: Readonly<Record<string, Convert>> = {
  RotaryEmbedding: rotary,
  SimplifiedLayerNormalization: rmsNorm,
  QuantisedProduct: quantisedProduct,
  CachedAttention: cachedAttention,
};
