/**
 * Between a state dict with timm's names and layouts (linear weights [out, in], q, k and v in one matrix, convolution
 * [out, in, height, width]) and the tree that the network computes with (linear weights [in, out], q, k, v apart).
 */
import { type Float32NdArray, float32, type StateDict } from '../../shared/arrays.js';
import type { Random } from '../../shared/random.js';
import type { Linear, Norm } from '../layers.js';
import { permuted, reshaped, stacked } from '../pretrained/formats/layout.js';
import { tokensOf, type ViTVariant } from './variants.js';
import { projections, type ViTBlock, type ViTWeights } from './vision-transformer.js';

type Array32 = Float32NdArray;

/** The tree of a network from timm's tensors; throws on a missing name. The head is separate: see `headFrom`. */
export function weightsFrom(tensors: StateDict, variant: ViTVariant): ViTWeights<Array32> {
  const { depth, width, patchSize } = variant;
  const get = (name: string) => tensors[name] ?? missing(name);
  const norm = (name: string): Norm<Array32> => ({ scale: get(`${name}.weight`), offset: get(`${name}.bias`) });
  const linear = (name: string): Linear<Array32> => ({
    weight: permuted(get(`${name}.weight`), [1, 0]),
    bias: get(`${name}.bias`),
  });
  const block = (index: number): ViTBlock<Array32> => {
    const name = `blocks.${index}`;
    const [query, key, value] = projections.map((_, part) => ({
      weight: permuted(rows(get(`${name}.attn.qkv.weight`), part * width, width), [1, 0]),
      bias: rows(get(`${name}.attn.qkv.bias`), part * width, width),
    }));
    return {
      norm1: norm(`${name}.norm1`),
      query: query!,
      key: key!,
      value: value!,
      projection: linear(`${name}.attn.proj`),
      norm2: norm(`${name}.norm2`),
      expand: linear(`${name}.mlp.fc1`),
      contract: linear(`${name}.mlp.fc2`),
    };
  };
  return {
    embedding: {
      patch: {
        weight: reshaped(permuted(get('patch_embed.proj.weight'), [2, 3, 1, 0]), [patchSize * patchSize * 3, width]),
        bias: get('patch_embed.proj.bias'),
      },
      classToken: get('cls_token'),
      position: get('pos_embed'),
    },
    blocks: Array.from({ length: depth }, (_, index) => block(index)),
    norm: norm('norm'),
  };
}

/** The pretrained classifier, where the state dict has one. */
export function headFrom(tensors: StateDict): Linear<Array32> | undefined {
  const weight = tensors['head.weight'];
  const bias = tensors['head.bias'];
  return weight && bias ? { weight: permuted(weight, [1, 0]), bias } : undefined;
}

/** Back to timm's names and layouts. */
export function stateDictOf(weights: ViTWeights<Array32>, variant: ViTVariant, head?: Linear<Array32>): StateDict {
  const { patchSize, width } = variant;
  const tensors: StateDict = {
    cls_token: weights.embedding.classToken,
    pos_embed: weights.embedding.position,
    'patch_embed.proj.weight': permuted(
      reshaped(weights.embedding.patch.weight, [patchSize, patchSize, 3, width]),
      [3, 2, 0, 1],
    ),
    'patch_embed.proj.bias': weights.embedding.patch.bias,
  };
  const setNorm = (name: string, { scale, offset }: Norm<Array32>) => {
    tensors[`${name}.weight`] = scale;
    tensors[`${name}.bias`] = offset;
  };
  const setLinear = (name: string, { weight, bias }: Linear<Array32>) => {
    tensors[`${name}.weight`] = permuted(weight, [1, 0]);
    tensors[`${name}.bias`] = bias;
  };
  for (const [index, block] of weights.blocks.entries()) {
    const name = `blocks.${index}`;
    const parts = projections.map((projection) => block[projection]);
    setNorm(`${name}.norm1`, block.norm1);
    tensors[`${name}.attn.qkv.weight`] = stacked(parts.map(({ weight }) => permuted(weight, [1, 0])));
    tensors[`${name}.attn.qkv.bias`] = stacked(parts.map(({ bias }) => bias));
    setLinear(`${name}.attn.proj`, block.projection);
    setNorm(`${name}.norm2`, block.norm2);
    setLinear(`${name}.mlp.fc1`, block.expand);
    setLinear(`${name}.mlp.fc2`, block.contract);
  }
  setNorm('norm', weights.norm);
  if (head) setLinear('head', head);
  return tensors;
}

/** Fresh weights as timm initialises them: trunc_normal(0.02) matrices, zero biases, unit norms. */
export function initialWeights(variant: ViTVariant, random: Random): ViTWeights<Array32> {
  const { width, depth, mlpRatio, patchSize } = variant;
  const draw = (shape: number[]) =>
    float32(
      shape,
      random.truncatedNormal(
        shape.reduce((a, b) => a * b, 1),
        0.02,
      ),
    );
  const linear = (from: number, to: number) => ({ weight: draw([from, to]), bias: float32([to]) });
  const norm = () => ({ scale: float32([width], new Float32Array(width).fill(1)), offset: float32([width]) });
  return {
    embedding: {
      patch: linear(patchSize * patchSize * 3, width),
      classToken: draw([1, 1, width]),
      position: draw([1, tokensOf(variant), width]),
    },
    blocks: Array.from({ length: depth }, () => ({
      norm1: norm(),
      query: linear(width, width),
      key: linear(width, width),
      value: linear(width, width),
      projection: linear(width, width),
      norm2: norm(),
      expand: linear(width, mlpRatio * width),
      contract: linear(mlpRatio * width, width),
    })),
    norm: norm(),
  };
}

/** A new classifier: trunc_normal(0.02), bias 0, as timm's when the number of classes changes. */
export function initialHead(width: number, classes: number, random: Random): Linear<Array32> {
  return { weight: float32([width, classes], random.truncatedNormal(width * classes, 0.02)), bias: float32([classes]) };
}

function missing(name: string): never {
  throw new Error(`the weights have no tensor ${name}`);
}

/** Rows [from, from + count) along the first axis. */
function rows({ shape, data }: Array32, from: number, count: number): Array32 {
  const size = data.length / shape[0]!;
  return float32([count, ...shape.slice(1)], data.slice(from * size, (from + count) * size));
}
