/**
 * A path of LLaMA blocks as an ONNX graph of standard operators, with the inputs and outputs of a decoder with past as
 * Hugging Face's optimum names them (huggingface/optimum-onnx, exporters/onnx), which onnxruntime-genai and
 * transformers.js read:
 *
 *     input_ids, position_ids                   int64 [batch_size, sequence_length]
 *     attention_mask                            int64 [batch_size, total_sequence_length], 0 where padding stands
 *     past_key_values.N.{key,value}             float32 [batch_size, heads of keys, past_sequence_length, head width]
 *     logits                                    float32 [batch_size, sequence_length, vocabulary]
 *     present.N.{key,value}                     past and new ones
 *
 * Written node by node, because a traced program has fixed shapes, and these have three free extents. It says the same as
 * llama.ts and cached.ts, and is compared with them whenever a file is written.
 */
import type { GraphParts, ModelValue } from '../../engine/onnx/model-proto.js';
import { OpenGraph } from '../../engine/onnx/open-graph.js';
import type { Float32NdArray } from '../../shared/arrays.js';
import type { LinearMap, Scale } from '../layers.js';
import { permuted } from '../pretrained/formats/layout.js';
import type { PartShape, PathWeights } from './cached.js';
import type { LlamaConfig } from './config.js';
import type { LlamaBlock } from './llama.js';
import { type ProjectionName, projectionModules } from './tensors.js';

/** Weights on a path with everything merged into them. */
export type MergedPath = PathWeights<Float32NdArray>;

const [batch, sequence, past, total] = [
  'batch_size',
  'sequence_length',
  'past_sequence_length',
  'total_sequence_length',
] as const;

/** Added to the scores of keys that a query does not see. */
const unseen = -1e9;

/** @param shapes of the parts of the path */
export function decoderGraph(weights: MergedPath, shapes: readonly Pick<PartShape, 'config'>[]): GraphParts {
  const graph = new OpenGraph();
  const inputs: ModelValue[] = [
    { name: 'input_ids', dtype: 'int64', shape: [batch, sequence] },
    { name: 'attention_mask', dtype: 'int64', shape: [batch, total] },
    { name: 'position_ids', dtype: 'int64', shape: [batch, sequence] },
  ];
  const outputs: ModelValue[] = [
    { name: 'logits', dtype: 'float32', shape: [batch, sequence, weights.embedding.tokens.shape[0]!] },
  ];
  const extents = extentsOf(graph);
  const table = graph.weight('embed_tokens', weights.embedding.tokens);
  let x = graph.node('Gather', [table, 'input_ids']);
  let index = 0;
  for (const [part, { entry, blocks }] of weights.parts.entries()) {
    const { config } = shapes[part]!;
    if (entry) x = linear(graph, 'stitching_layer', x, entry.layer);
    const context = { ...extents, rotation: rotationOf(graph, config), config };
    for (const block of blocks) {
      for (const half of ['key', 'value'] as const) {
        const shape = (length: string) => [batch, config.keyValueHeads, length, config.headWidth];
        inputs.push({ name: `past_key_values.${index}.${half}`, dtype: 'float32', shape: shape(past) });
        outputs.push({ name: `present.${index}.${half}`, dtype: 'float32', shape: shape(total) });
      }
      x = runBlock(graph, index++, x, block as LlamaBlock<Float32NdArray>, context);
    }
  }
  const { config } = shapes.at(-1)!;
  const normed = rmsNorm(graph, 'norm', x, weights.norm, config);
  const { tokens } = (weights.head ?? weights.embedding) as { readonly tokens: Float32NdArray };
  const head =
    tokens === weights.embedding.tokens
      ? graph.node('Transpose', [table], { perm: { ints: [1, 0] } })
      : graph.weight('lm_head/weight', permuted(tokens, [1, 0]));
  graph.node('MatMul', [normed, head], {}, 'logits');
  return { nodes: graph.nodes, constants: graph.constants, inputs, outputs };
}

interface Extents {
  /** [batch, 1, queries, keys]: 0, and `unseen` where a query does not see a key. */
  readonly mask: string;
  /** [1]: new tokens, and all tokens. */
  readonly fresh: string;
  readonly all: string;
}

function extentsOf(graph: OpenGraph): Extents {
  const lengthOf = (input: string) => graph.node('Gather', [graph.node('Shape', [input]), graph.int64s([1])]);
  const [fresh, all] = [lengthOf('input_ids'), lengthOf('attention_mask')];
  const scalar = (value: string) => graph.node('Squeeze', [value]);
  const [zero, one] = [0, 1].map((value) => graph.int64(value)) as [string, string];
  const keys = graph.node('Range', [zero, scalar(all), one]);
  const queries = graph.node('Range', [scalar(graph.node('Sub', [all, fresh])), scalar(all), one]);
  const future = graph.node('Greater', [keys, graph.node('Unsqueeze', [queries, graph.int64s([1])])]);
  const absent = graph.node('Equal', ['attention_mask', zero]);
  const hidden = graph.node('Or', [future, graph.node('Unsqueeze', [absent, graph.int64s([1, 2])])]);
  return { mask: graph.node('Where', [hidden, graph.float(unseen), graph.float(0)]), fresh, all };
}

interface Rotation {
  /** [batch, 1, tokens, headWidth / 2] */
  readonly cosine: string;
  readonly sine: string;
}

function rotationOf(graph: OpenGraph, { headWidth, theta }: LlamaConfig): Rotation {
  const half = headWidth / 2;
  const frequencies = graph.floats(Array.from({ length: half }, (_, index) => theta ** (-index / half)));
  const positions = graph.node('Cast', ['position_ids'], { to: { int: graph.codes.float32 } });
  const column = graph.node('Unsqueeze', [positions, graph.int64s([1, 3])]);
  const angles = graph.node('Mul', [column, frequencies]);
  return { cosine: graph.node('Cos', [angles]), sine: graph.node('Sin', [angles]) };
}

interface Context extends Extents {
  readonly rotation: Rotation;
  readonly config: LlamaConfig;
}

function runBlock(graph: OpenGraph, index: number, x: string, block: LlamaBlock<Float32NdArray>, context: Context) {
  const { config, rotation } = context;
  const { heads, keyValueHeads, headWidth } = config;
  const name = `model.layers.${index}`;
  const project = (projection: ProjectionName, input: string) =>
    linear(graph, `${name}.${projectionModules[projection]}`, input, block[projection] as LinearMap<Float32NdArray>);
  const byHead = (input: string, count: number) => {
    const split = graph.node('Reshape', [input, graph.int64s([0, 0, count, headWidth])]);
    return graph.node('Transpose', [split], { perm: { ints: [0, 2, 1, 3] } });
  };
  const normed = rmsNorm(graph, `${name}.input_layernorm`, x, block.attentionNorm, config);
  const query = rotated(graph, byHead(project('query', normed), heads), rotation);
  const key = rotated(graph, byHead(project('key', normed), keyValueHeads), rotation);
  const joined = (half: 'key' | 'value', now: string) =>
    graph.node('Concat', [`past_key_values.${index}.${half}`, now], { axis: { int: 2 } }, `present.${index}.${half}`);
  const keys = joined('key', key);
  const values = joined('value', byHead(project('value', normed), keyValueHeads));
  const y = graph.node('Add', [x, project('output', attend(graph, query, keys, values, context))]);
  const z = rmsNorm(graph, `${name}.post_attention_layernorm`, y, block.mlpNorm, config);
  const gate = project('gate', z);
  const gated = graph.node('Mul', [graph.node('Mul', [gate, graph.node('Sigmoid', [gate])]), project('up', z)]);
  return graph.node('Add', [y, project('down', gated)]);
}

/** Queries that share keys are rows of one product, as in grouped-attention.ts. */
function attend(graph: OpenGraph, query: string, keys: string, values: string, { config, mask, fresh, all }: Context) {
  const { heads, keyValueHeads, headWidth } = config;
  const shape = (...extents: readonly (number | string)[]) => {
    const parts = extents.map((extent) => (typeof extent === 'number' ? graph.int64s([extent]) : extent));
    return graph.node('Concat', parts, { axis: { int: 0 } });
  };
  const scaled = graph.node('Mul', [query, graph.float(1 / Math.sqrt(headWidth))]);
  const rows = graph.node('Reshape', [scaled, graph.int64s([0, keyValueHeads, -1, headWidth])]);
  const turned = graph.node('Transpose', [keys], { perm: { ints: [0, 1, 3, 2] } });
  const scores = graph.node('Reshape', [graph.node('MatMul', [rows, turned]), shape(0, heads, fresh, -1)]);
  const probabilities = graph.node('Softmax', [graph.node('Add', [scores, mask])], { axis: { int: -1 } });
  const stacked = graph.node('Reshape', [probabilities, shape(0, keyValueHeads, -1, all)]);
  const mixed = graph.node('MatMul', [stacked, values]);
  const split = graph.node('Reshape', [mixed, graph.int64s([0, heads, -1, headWidth])]);
  const together = graph.node('Transpose', [split], { perm: { ints: [0, 2, 1, 3] } });
  return graph.node('Reshape', [together, graph.int64s([0, 0, heads * headWidth])]);
}

/** [x1 | x2] -> [x1 cos - x2 sin | x2 cos + x1 sin], halves of the head. */
function rotated(graph: OpenGraph, x: string, { cosine, sine }: Rotation): string {
  const [one, two] = graph.split(x, 2, -1) as [string, string];
  const times = (a: string, b: string) => graph.node('Mul', [a, b]);
  const first = graph.node('Sub', [times(one, cosine), times(two, sine)]);
  const second = graph.node('Add', [times(two, cosine), times(one, sine)]);
  return graph.node('Concat', [first, second], { axis: { int: -1 } });
}

function linear(graph: OpenGraph, name: string, x: string, { weight, bias }: LinearMap<Float32NdArray>): string {
  const y = graph.node('MatMul', [x, graph.weight(`${name}/weight`, weight)]);
  return bias ? graph.node('Add', [y, graph.weight(`${name}/bias`, bias)]) : y;
}

/** In the form that ONNX Runtime makes one operator of. */
function rmsNorm(
  graph: OpenGraph,
  name: string,
  x: string,
  { scale }: Scale<Float32NdArray>,
  { epsilon }: Pick<LlamaConfig, 'epsilon'>,
): string {
  const squares = graph.node('Pow', [x, graph.float(2)]);
  const mean = graph.node('ReduceMean', [squares, graph.int64s([-1])], { keepdims: { int: 1 } });
  const root = graph.node('Sqrt', [graph.node('Add', [mean, graph.float(epsilon)])]);
  return graph.node('Mul', [graph.node('Div', [x, root]), graph.weight(`${name}/scale`, scale)]);
}
