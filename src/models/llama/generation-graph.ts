/**
 * A path of LLaMA blocks as ONNX Runtime's CPU generates with it fastest: few operators, most of them its own, weights as
 * constants, so that it packs them once, and free numbers of texts and tokens, so that one copy of them serves prompts,
 * tokens and beams. It says the same as cached.ts, with which its test compares it.
 *
 *     features        float32 [texts, tokens, width]: rows of the embedding
 *     first           int32 [1]: position of the first of these tokens, the same for all texts
 *     last            int32 [texts]: position of the last one
 *     seen            int32 [1]: tokens with them
 *     keys.N values.N float32 [texts, keyValueHeads, capacity, headWidth]; the new ones are written in their place
 *     logits          float32 [texts, vocabulary], after the last token
 *
 * With several texts there is one new token of each (a limit of GroupQueryAttention).
 *
 * Where weights are of 8 bits, what is multiplied with them is rounded to 8 bits as well, one scale for `blockSize`
 * numbers of a token.
 */
import type { GraphParts, ModelValue } from '../../engine/onnx/model-proto.js';
import { OpenGraph } from '../../engine/onnx/open-graph.js';
import type { Quantised } from '../../engine/ops/quantised-linear.js';
import { zeroCode } from '../../engine/ops/quantised-linear.js';
import { type Float32NdArray, float32, type NdArray, uint8 } from '../../shared/arrays.js';
import type { Scale } from '../layers.js';
import type { PartShape, PathPart, PathWeights } from './cached.js';
import type { LlamaConfig } from './config.js';
import type { Projection } from './llama.js';
import type { ProjectionName } from './tensors.js';

/** What adapts one layer of a block. */
type Adaptation = NonNullable<PathPart<NdArray>['adapted']>[number][string] & { readonly scale?: number };

/** Whether ONNX Runtime's operators take heads of this width. */
export function canGenerate(shapes: readonly Pick<PartShape, 'config'>[]): boolean {
  return shapes.every(({ config }) => config.headWidth % 8 === 0);
}

/** @param shapes of the parts of the path */
export function generationGraph(weights: PathWeights<NdArray>, shapes: readonly PartShape[]): GraphParts {
  const graph = new OpenGraph();
  const inputs: ModelValue[] = [
    { name: 'features', dtype: 'float32', shape: ['texts', 'tokens', shapes[0]!.config.width] },
    { name: 'first', dtype: 'int32', shape: [1] },
    { name: 'last', dtype: 'int32', shape: ['texts'] },
    { name: 'seen', dtype: 'int32', shape: [1] },
  ];
  const outputs: ModelValue[] = [];
  const position = graph.node('Cast', ['first'], { to: { int: graph.codes.int64 } });
  const stream = new Stream(graph, 'features');
  let index = 0;
  for (const [part, { entry, blocks, adapted = [] }] of weights.parts.entries()) {
    const { config, scale } = shapes[part]!;
    if (entry) stream.become(projected(graph, 'stitching layer', stream.whole(), entry.layer, entry));
    const rotation = rotationOf(graph, config, `${part}`);
    for (const [place, block] of blocks.entries()) {
      const name = `${index}`;
      const project = (layer: ProjectionName, input: string) =>
        projected(graph, `${name}.${layer}`, input, block[layer], { ...adapted[place]?.[layer], scale });
      const normed = stream.normed(`${name}.attentionNorm`, block.attentionNorm, config);
      const rotated = (input: string, heads: number) =>
        graph.ownNode('RotaryEmbedding', [input, position, ...rotation], { num_heads: { int: heads } });
      const query = rotated(project('query', normed), config.heads);
      const key = rotated(project('key', normed), config.keyValueHeads);
      for (const kept of ['keys', 'values'] as const) {
        const shape = ['texts', config.keyValueHeads, 'capacity', config.headWidth];
        inputs.push({ name: `${kept}.${name}`, dtype: 'float32', shape });
        outputs.push({ name: `${kept}.${name}.all`, dtype: 'float32', shape });
      }
      const mixed = graph.ownNode(
        'GroupQueryAttention',
        [query, key, project('value', normed), `keys.${name}`, `values.${name}`, 'last', 'seen'],
        { num_heads: { int: config.heads }, kv_num_heads: { int: config.keyValueHeads } },
        [`keys.${name}.all`, `values.${name}.all`],
      );
      stream.add(project('output', mixed));
      const z = stream.normed(`${name}.mlpNorm`, block.mlpNorm, config);
      const silu = graph.ownNode('QuickGelu', [project('gate', z)], { alpha: { float: 1 } });
      stream.add(project('down', graph.node('Mul', [silu, project('up', z)])));
      index++;
    }
  }
  const { config } = shapes.at(-1)!;
  const last = graph.node('Gather', [stream.whole(), graph.int64(-1)], { axis: { int: 1 } });
  const normed = new Stream(graph, last).normed('norm', weights.norm, config);
  const head = weights.head ?? weights.embedding;
  const logits = 'parts' in head ? projected(graph, 'head', normed, head) : turned(graph, normed, head.tokens);
  graph.node('Identity', [logits], {}, 'logits');
  outputs.unshift({ name: 'logits', dtype: 'float32', shape: ['texts', config.vocabulary] });
  return { nodes: graph.nodes, constants: graph.constants, inputs, outputs };
}

/** The residual stream: what is added to it last is added by the operator that normalises it. */
class Stream {
  private added: string | undefined;

  constructor(
    private readonly graph: OpenGraph,
    private value: string,
  ) {}

  add(added: string): void {
    this.value = this.whole();
    this.added = added;
  }

  become(value: string): void {
    this.value = value;
    this.added = undefined;
  }

  whole(): string {
    if (this.added !== undefined) this.become(this.graph.node('Add', [this.value, this.added]));
    return this.value;
  }

  normed(name: string, { scale }: Scale<NdArray>, { epsilon }: Pick<LlamaConfig, 'epsilon'>): string {
    const weight = this.graph.weight(name, scale);
    const attributes = { epsilon: { float: epsilon } };
    if (this.added === undefined) {
      return this.graph.node('SimplifiedLayerNormalization', [this.value, weight], {
        ...attributes,
        axis: { int: -1 },
      });
    }
    const sum = `${name}/sum`;
    const inputs = [this.value, this.added, weight];
    const y = this.graph.ownNode('SkipSimplifiedLayerNormalization', inputs, attributes, ['', '', sum]);
    this.become(sum);
    return y;
  }
}

/** Cosines and sines by position. */
function rotationOf(graph: OpenGraph, { headWidth, theta, contextLength }: LlamaConfig, part: string): string[] {
  const half = headWidth / 2;
  return (['cos', 'sin'] as const).map((name) => {
    const table = float32([contextLength, half]);
    for (let at = 0; at < table.data.length; at++) {
      table.data[at] = Math[name](Math.fround(Math.floor(at / half) * Math.fround(theta ** (-(at % half) / half))));
    }
    return graph.weight(`${name}.${part}`, table);
  });
}

/** A layer with what adapts it beside: y = x W + s x A B + b. */
function projected(
  graph: OpenGraph,
  name: string,
  x: string,
  layer: Projection<NdArray>,
  { update, bias: added, scale = 1 }: Adaptation = {},
): string {
  let y =
    'parts' in layer
      ? joined(
          graph,
          layer.parts.map((part, index) => quantisedProduct(graph, `${name}/${index}`, x, part)),
        )
      : graph.node('MatMul', [x, graph.weight(`${name}/weight`, layer.weight)]);
  if (update) {
    const { data, shape } = update.up as Float32NdArray;
    const up = float32(
      shape,
      data.map((value) => value * scale),
    );
    const narrow = graph.node('MatMul', [x, graph.weight(`${name}/down`, update.down)]);
    y = graph.node('Add', [y, graph.node('MatMul', [narrow, graph.weight(`${name}/up`, up)])]);
  }
  for (const [which, bias] of Object.entries({ bias: layer.bias, added })) {
    if (bias) y = graph.node('Add', [y, graph.weight(`${name}/${which}`, bias)]);
  }
  return y;
}

function joined(graph: OpenGraph, outputs: readonly string[]): string {
  return outputs.length === 1 ? outputs[0]! : graph.node('Concat', outputs, { axis: { int: -1 } });
}

/** x W^T of a float32 W. */
function turned(graph: OpenGraph, x: string, matrix: NdArray): string {
  return graph.node('Gemm', [x, graph.weight('head', matrix)], { transB: { int: 1 } });
}

/**
 * Numbers that share a scale when they are rounded, largest first; the operator knows no others. Of 32 one product takes
 * twice as long as of 128, which is as fast as 256 and rounds finer.
 */
const blockSizes = [128, 64, 32, 16];

/** Rounds what is multiplied to 8 bits, one scale for each block. */
const wholeNumbers = 4;

function quantisedProduct(graph: OpenGraph, name: string, x: string, { codes, scale }: Quantised<NdArray>): string {
  const [outputs, inputs] = codes.shape as [number, number];
  const size = blockSizes.find((each) => inputs % each === 0) ?? 32;
  const blocks = Math.ceil(inputs / size);
  const scales = float32([outputs, blocks]);
  for (const [output, value] of scale.data.entries()) scales.data.fill(value, output * blocks, (output + 1) * blocks);
  const operands = [
    x,
    graph.weight(`${name}/codes`, uint8([outputs, blocks, size], filledUp(codes, blocks * size))),
    graph.weight(`${name}/scale`, scales),
  ];
  return graph.ownNode('MatMulNBits', operands, {
    K: { int: inputs },
    N: { int: outputs },
    bits: { int: 8 },
    block_size: { int: size },
    accuracy_level: { int: wholeNumbers },
  });
}

/** Rows that are filled up with the code of 0, where they do not end with a block. */
function filledUp({ shape, data }: NdArray, length: number): Uint8Array {
  const [outputs, inputs] = shape as [number, number];
  if (inputs === length) return data as Uint8Array;
  const filled = new Uint8Array(outputs * length).fill(zeroCode);
  for (let output = 0; output < outputs; output++) {
    filled.set((data as Uint8Array).subarray(output * inputs, (output + 1) * inputs), output * length);
  }
  return filled;
}
