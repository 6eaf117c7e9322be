/**
 * Between a state dict with timm's names and layouts (linear weights [out, in], convolutions [out, in / groups, height,
 * width]) and the tree that the network computes with (linear weights [in, out], convolutions on patches as linear layers,
 * depthwise filters [height, width, channels, 1]).
 */
import { type Float32NdArray, float32, type StateDict, sizeOf } from '../../shared/arrays.js';
import type { Random } from '../../shared/random.js';
import type { Linear, Norm } from '../layers.js';
import { permuted, reshaped } from '../pretrained/formats/layout.js';
import type { ConvNeXtBlock, ConvNeXtWeights, Downsampling } from './convnext.js';
import {
  type ConvNeXtVariant,
  convNeXtMlpRatio,
  depthwiseSide,
  downsamplingSide,
  initialLayerScale,
  stemPatchSide,
} from './variants.js';

type Array32 = Float32NdArray;

/** timm's name of each block, stage by stage. */
function blockNames({ depths }: Pick<ConvNeXtVariant, 'depths'>): string[] {
  return depths.flatMap((depth, stage) =>
    Array.from({ length: depth }, (_, index) => `stages.${stage}.blocks.${index}`),
  );
}

const downsamplingNames = [1, 2, 3].map((stage) => `stages.${stage}.downsample`);

/** The tree of a network from timm's tensors; throws on a missing name. The head is separate: see `convNeXtHeadFrom`. */
export function convNeXtWeightsFrom(tensors: StateDict, variant: ConvNeXtVariant): ConvNeXtWeights<Array32> {
  const get = (name: string) => tensors[name] ?? missing(name);
  const norm = (name: string): Norm<Array32> => ({ scale: get(`${name}.weight`), offset: get(`${name}.bias`) });
  const linear = (name: string): Linear<Array32> => ({
    weight: permuted(get(`${name}.weight`), [1, 0]),
    bias: get(`${name}.bias`),
  });
  const patches = (name: string): Linear<Array32> => {
    const weight = get(`${name}.weight`);
    return { weight: reshaped(permuted(weight, [2, 3, 1, 0]), [-1, weight.shape[0]!]), bias: get(`${name}.bias`) };
  };
  const block = (name: string): ConvNeXtBlock<Array32> => ({
    depthwise: { filter: permuted(get(`${name}.conv_dw.weight`), [2, 3, 0, 1]), bias: get(`${name}.conv_dw.bias`) },
    norm: norm(`${name}.norm`),
    expand: linear(`${name}.mlp.fc1`),
    contract: linear(`${name}.mlp.fc2`),
    layerScale: get(`${name}.gamma`),
  });
  return {
    embedding: { patch: patches('stem.0'), norm: norm('stem.1') },
    downsamplings: downsamplingNames.map((name) => ({ norm: norm(`${name}.0`), reduce: patches(`${name}.1`) })),
    blocks: blockNames(variant).map(block),
    norm: norm('head.norm'),
  };
}

/** The pretrained classifier, where the state dict has one. */
export function convNeXtHeadFrom(tensors: StateDict): Linear<Array32> | undefined {
  const weight = tensors['head.fc.weight'];
  const bias = tensors['head.fc.bias'];
  return weight && bias ? { weight: permuted(weight, [1, 0]), bias } : undefined;
}

/** Back to timm's names and layouts. */
export function convNeXtStateDictOf(
  weights: ConvNeXtWeights<Array32>,
  variant: ConvNeXtVariant,
  head?: Linear<Array32>,
): StateDict {
  const tensors: StateDict = {};
  const setNorm = (name: string, { scale, offset }: Norm<Array32>) => {
    tensors[`${name}.weight`] = scale;
    tensors[`${name}.bias`] = offset;
  };
  const setLinear = (name: string, { weight, bias }: Linear<Array32>) => {
    tensors[`${name}.weight`] = permuted(weight, [1, 0]);
    tensors[`${name}.bias`] = bias;
  };
  const setPatches = (name: string, { weight, bias }: Linear<Array32>, side: number) => {
    tensors[`${name}.weight`] = permuted(reshaped(weight, [side, side, -1, weight.shape[1]!]), [3, 2, 0, 1]);
    tensors[`${name}.bias`] = bias;
  };
  setPatches('stem.0', weights.embedding.patch, stemPatchSide);
  setNorm('stem.1', weights.embedding.norm);
  for (const [index, { norm, reduce }] of weights.downsamplings.entries()) {
    setNorm(`${downsamplingNames[index]}.0`, norm);
    setPatches(`${downsamplingNames[index]}.1`, reduce, downsamplingSide);
  }
  for (const [index, name] of blockNames(variant).entries()) {
    const block = weights.blocks[index]!;
    tensors[`${name}.conv_dw.weight`] = permuted(block.depthwise.filter, [2, 3, 0, 1]);
    tensors[`${name}.conv_dw.bias`] = block.depthwise.bias;
    setNorm(`${name}.norm`, block.norm);
    setLinear(`${name}.mlp.fc1`, block.expand);
    setLinear(`${name}.mlp.fc2`, block.contract);
    tensors[`${name}.gamma`] = block.layerScale;
  }
  setNorm('head.norm', weights.norm);
  if (head) setLinear('head.fc', head);
  return tensors;
}

/** Fresh weights as timm initialises them: trunc_normal(0.02) matrices and filters, zero biases, layer scale 1e-6. */
export function initialConvNeXtWeights(
  { depths, dims }: Pick<ConvNeXtVariant, 'depths' | 'dims'>,
  random: Random,
): ConvNeXtWeights<Array32> {
  const draw = (shape: readonly number[]) => float32(shape, random.truncatedNormal(sizeOf(shape), 0.02));
  const filled = (width: number, value: number) => float32([width], new Float32Array(width).fill(value));
  const linear = (from: number, to: number): Linear<Array32> => ({ weight: draw([from, to]), bias: float32([to]) });
  const norm = (width: number): Norm<Array32> => ({ scale: filled(width, 1), offset: float32([width]) });
  const block = (width: number): ConvNeXtBlock<Array32> => ({
    depthwise: { filter: draw([depthwiseSide, depthwiseSide, width, 1]), bias: float32([width]) },
    norm: norm(width),
    expand: linear(width, convNeXtMlpRatio * width),
    contract: linear(convNeXtMlpRatio * width, width),
    layerScale: filled(width, initialLayerScale),
  });
  const downsampling = (before: number, width: number): Downsampling<Array32> => ({
    norm: norm(before),
    reduce: linear(downsamplingSide ** 2 * before, width),
  });
  return {
    embedding: { patch: linear(stemPatchSide ** 2 * 3, dims[0]), norm: norm(dims[0]) },
    downsamplings: dims.slice(1).map((width, index) => downsampling(dims[index]!, width)),
    blocks: dims.flatMap((width, stage) => Array.from({ length: depths[stage]! }, () => block(width))),
    norm: norm(dims[3]),
  };
}

function missing(name: string): never {
  throw new Error(`the weights have no tensor ${name}`);
}
