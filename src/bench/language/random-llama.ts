/** LLaMA networks of random weights, whole and stitched, for benchmarks: time does not depend on weights. */
import type { Engine } from '../../engine/engine.js';
import { publishedShape } from '../../models/layouts.js';
import { llamaArchitecture } from '../../models/llama/architecture.js';
import { type PartShape, type PathWeights, wholePath } from '../../models/llama/cached.js';
import type { LlamaConfig } from '../../models/llama/config.js';
import type { LlamaWeights } from '../../models/llama/llama.js';
import { keptLeaf, type Leaf, type Storage, treeOfLeaves } from '../../models/llama/load.js';
import { llamaTensors } from '../../models/llama/tensors.js';
import { outputsOfPart } from '../../models/quantise.js';
import type { TensorRow } from '../../models/tensor-table.js';
import { float32, isArray, type NdArray, sizeOf } from '../../shared/arrays.js';
import { sum } from '../../shared/groups.js';
import { type NormalSource, Random } from '../../shared/random.js';
import { leavesOf } from '../../shared/tree.js';
import { stitchParams } from '../../stitching/space/cost.js';
import { isAnchor, type Stitch, stitchLabel } from '../../stitching/space/stitch.js';
import { buildStitchSpace } from '../../stitching/space/stitch-space.js';
import { randomArray, repeatedNormals } from '../random-network.js';

export interface RandomOptions {
  readonly storage: Storage;
  /**
   * Whether tensors of one shape are one array: where each gets memory of its own on a device, the host needs little.
   * Default false: a processor would find the weights of one block in its cache in the next. They differ, too: ONNX Runtime
   * keeps equal weights once.
   */
  readonly isShared?: boolean;
}

/** For an engine: ours for cards copies each array that it is given. */
export function randomOptions({ name }: Pick<Engine, 'name'>, storage: Storage): RandomOptions {
  return { storage, isShared: name === 'nvidia' };
}

export interface RandomPath {
  readonly weights: PathWeights<NdArray>;
  readonly shapes: readonly PartShape[];
  /** Of all weights as they are kept. */
  readonly bytes: number;
  readonly params: number;
  /** Blocks of which network, of a stitch. */
  readonly label?: string;
}

const numbers = () => repeatedNormals(Random.of(0, 'random llama'));

/** As it is kept; parts of a shared matrix are one array, too. */
function randomLeaf(row: TensorRow, random: NormalSource, { storage, isShared = false }: RandomOptions): Leaf {
  const shape = publishedShape(row.layout, row.shape);
  const kept = (extents: readonly number[]) => keptLeaf(row, randomArray(random, extents), storage);
  const [outputs, inputs] = shape as [number, number];
  const most = outputsOfPart(inputs);
  const part = isShared && most < outputs ? kept([most, inputs]) : undefined;
  if (!part || !('parts' in part)) return kept(shape);
  const last = kept([outputs % most || most, inputs]) as typeof part;
  return { parts: [...Array(Math.ceil(outputs / most) - 1).fill(part.parts[0]), ...last.parts] };
}

/** One tensor at a time exists in float32, as when weights are read. */
export function randomLlama(config: LlamaConfig, options: RandomOptions): LlamaWeights<NdArray> {
  const random = numbers();
  const rows = llamaTensors(config);
  const made = new Map<string, Leaf>();
  const leaves = new Map<TensorRow, Leaf>();
  for (const row of rows) {
    const alike = `${row.layout} ${row.place.part === 'head'} ${row.shape}`;
    const leaf = made.get(alike) ?? randomLeaf(row, random, options);
    if (options.isShared) made.set(alike, leaf);
    leaves.set(row, leaf);
  }
  return treeOfLeaves(rows, leaves, options.storage);
}

const bytesOf = (weights: PathWeights<NdArray>) =>
  sum(leavesOf(weights, isArray).map(({ leaf }) => leaf.data.byteLength));

/** A whole network. */
export function randomNetwork(config: LlamaConfig, options: RandomOptions): RandomPath {
  const weights = wholePath(randomLlama(config, options));
  const params = sum(llamaTensors(config).map(({ shape }) => sizeOf(shape)));
  return { weights, shapes: [{ config, scale: 1 }], bytes: bytesOf(weights), params };
}

/** Of the stitches of two networks by the nearest rule (paper, supplement I), that whose parameters are nearest to a number. */
export function randomStitch(
  configs: readonly [LlamaConfig, LlamaConfig],
  names: readonly string[],
  params: number,
  options: RandomOptions,
): RandomPath {
  const anchors = configs.map((config, index) => llamaArchitecture(names[index]!, config, 1));
  const shapes = configs.map(({ width, depth }, index) => ({ name: names[index]!, width, depth }));
  const network = {
    ...{ anchors, classes: configs[1].vocabulary },
    adaptation: { ranks: [0, 0], stitchingLayerRank: 0, stitchBias: false },
  };
  const [{ stitch, size }] = buildStitchSpace(shapes, { pairing: 'unpaired' })
    .stitches.filter((each) => !isAnchor(each))
    .map((stitch) => ({ stitch, size: stitchParams(stitch, network).total }))
    .sort((a, b) => Math.abs(a.size - params) - Math.abs(b.size - params)) as [{ stitch: Stitch; size: number }];
  const [front, rear] = stitch.path.map(({ anchor, blocks: [from, to] }) =>
    randomLlama({ ...configs[anchor]!, depth: to - from }, options),
  ) as [LlamaWeights<NdArray>, LlamaWeights<NdArray>];
  const [narrow, wide] = [configs[0].width, configs[1].width];
  const layer = { weight: randomArray(numbers(), [narrow, wide]), bias: float32([wide]) };
  const { embedding, blocks } = front;
  const { norm, head, embedding: other } = rear;
  const weights: PathWeights<NdArray> = {
    ...{ embedding, norm, head: head ?? other },
    parts: [{ blocks }, { entry: { layer }, blocks: rear.blocks }],
  };
  return {
    ...{ weights, shapes: configs.map((config) => ({ config, scale: 1 })), bytes: bytesOf(weights), params: size },
    label: stitchLabel(stitch, names),
  };
}
