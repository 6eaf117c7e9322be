/**
 * Fits the stitching layers: both anchors read the same inputs, and each layer is the least-squares map from what its
 * front blocks put out to what its end blocks expect (SN-Net, section 3).
 */
import type * as tf from '@tensorflow/tfjs';
import type { Engine, Value } from '../../engine/engine.js';
import { type CrossProducts, openCrossProducts } from '../../engine/onnx/cross-products.js';
import { toHost } from '../../engine/transfer.js';
import type { Architecture } from '../../models/architecture.js';
import { blockwise } from '../../models/blockwise.js';
import type { NetworkWeights } from '../../models/family.js';
import type { Linear } from '../../models/layers.js';
import { type Float32NdArray, float32, type NdArray } from '../../shared/arrays.js';
import type { StitchingLayer, StitchSpace } from '../space/stitch-space.js';
import {
  addInputs,
  addTargets,
  averageLayers,
  fitStitchingLayer,
  type InputMoments,
  inputMoments,
  meanOf,
  type TargetMoments,
  targetMoments,
} from './least-squares.js';

export interface FittedLayer extends Linear<Float32NdArray> {
  /** Relative error of the fits, averaged: 0 is perfect, 1 no better than a constant. */
  readonly relativeError: number;
}

/**
 * @param batches images [batch, side, side, 3], or tokens int32 [batch, length] without padding
 * @param onBatch called with the number of batches done
 */
export async function fitStitchingLayers(
  engine: Engine,
  { stitchingLayers }: Pick<StitchSpace, 'stitchingLayers'>,
  anchors: readonly NetworkWeights<Value>[],
  architectures: readonly Architecture[],
  batches: Iterable<NdArray>,
  onBatch: (done: number) => void = () => {},
): Promise<FittedLayer[]> {
  const moments: Moments = { inputs: new Map(), targets: new Map() };
  const products = await openCrossProducts();
  let done = 0;
  for (const inputs of batches) {
    const features: Features[] = [];
    for (const [anchor, weights] of anchors.entries()) {
      const needed = neededFeatures(stitchingLayers, anchor);
      features.push(await featuresOf(engine, weights, architectures[anchor]!, needed, inputs));
    }
    await addFeatures(products, stitchingLayers, architectures, features, moments);
    onBatch(++done);
  }
  await products.dispose();
  return stitchingLayers.map((layer) => {
    const fits = frontBlocks(layer).map((front) => {
      const target = moments.targets.get(`${layer.index}/${front}`)!;
      return fitStitchingLayer(moments.inputs.get(`${layer.fromAnchor}/${front}`)!, target);
    });
    const { weight, bias } = averageLayers(fits);
    const { from, to } = ends(layer, architectures);
    const relativeError = fits.reduce((sum, fit) => sum + fit.relativeError, 0) / fits.length;
    return { weight: float32([from.width, to.width], weight), bias: float32([to.width], bias), relativeError };
  });
}

const frontBlocks = ({ pairs }: StitchingLayer) => [...new Set(pairs.map(([front]) => front))];

/** A block on either side of a stitching layer; all pairs of a layer have the same widths and positions. */
function ends({ fromAnchor, toAnchor, pairs }: StitchingLayer, architectures: readonly Architecture[]) {
  const [front, end] = pairs[0]!;
  return { from: architectures[fromAnchor]!.blocks[front]!, to: architectures[toAnchor]!.blocks[end]! };
}

/** Features of one anchor by block, as rows of the block's width: what leaves it, and what enters it. */
interface Features {
  readonly leaving: Readonly<Record<number, Float32NdArray>>;
  readonly entering: Readonly<Record<number, Float32NdArray>>;
}

/** Blocks whose features stitching layers are fitted to. */
interface NeededFeatures {
  readonly leaving: ReadonlySet<number>;
  readonly entering: ReadonlySet<number>;
}

function neededFeatures(layers: readonly StitchingLayer[], anchor: number): NeededFeatures {
  const leaving = layers.filter(({ fromAnchor }) => fromAnchor === anchor).flatMap(({ pairs }) => pairs);
  const entering = layers.filter(({ toAnchor }) => toAnchor === anchor).flatMap(({ pairs }) => pairs);
  return { leaving: new Set(leaving.map(([front]) => front)), entering: new Set(entering.map(([, end]) => end)) };
}

async function featuresOf(
  engine: Engine,
  weights: NetworkWeights<Value>,
  architecture: Architecture,
  needed: NeededFeatures,
  inputs: NdArray,
): Promise<Features> {
  interface Given {
    readonly weights: NetworkWeights<tf.Tensor>;
    readonly inputs: tf.Tensor;
  }
  const key = `features of ${architecture.name}: ${[...needed.leaving]} and ${[...needed.entering]}`;
  const run = engine.compile(key, (given: Given) => {
    const network = blockwise(architecture);
    const leaving: Record<number, tf.Tensor> = {};
    const entering: Record<number, tf.Tensor> = {};
    const context = network.contextOf?.(given.inputs);
    let x = network.embed(given.weights, given.inputs);
    for (const block of architecture.blocks.keys()) {
      x = network.enterBlock(given.weights, block, x);
      if (needed.entering.has(block)) entering[block] = x;
      x = network.runBlock(given.weights, block, x, context);
      if (needed.leaving.has(block)) leaving[block] = x;
    }
    return { leaving, entering };
  });
  const input = engine.put(inputs);
  const outputs = await run({ weights, inputs: input });
  const features = await toHost(engine, outputs);
  engine.free([input, outputs]);
  return features;
}

/** Sums over all batches. */
interface Moments {
  /** By front block: ANCHOR/BLOCK. */
  readonly inputs: Map<string, InputMoments>;
  /** By layer and front block: LAYER/BLOCK. */
  readonly targets: Map<string, TargetMoments>;
}

/** Pairs of a layer that share a front block are one fit to the mean of their targets: the solution is linear in them. */
async function addFeatures(
  products: CrossProducts,
  layers: readonly StitchingLayer[],
  architectures: readonly Architecture[],
  features: readonly Features[],
  { inputs, targets }: Moments,
): Promise<void> {
  const added = new Set<string>();
  for (const layer of layers) {
    const { from, to } = ends(layer, architectures);
    if (from.positions !== to.positions) throw new Error('anchors that are stitched see the same tokens');
    for (const front of frontBlocks(layer)) {
      const x = features[layer.fromAnchor]!.leaving[front]!.data;
      const key = `${layer.fromAnchor}/${front}`;
      if (!inputs.has(key)) inputs.set(key, inputMoments(from.width));
      if (!added.has(key)) await addInputs(products, inputs.get(key)!, x);
      added.add(key);
      const wanted = layer.pairs.filter(([j]) => j === front);
      const mean = meanOf(wanted.map(([, end]) => features[layer.toAnchor]!.entering[end]!.data));
      const target = `${layer.index}/${front}`;
      const held = targets.get(target) ?? targetMoments(from.width, to.width);
      targets.set(target, held);
      await addTargets(products, held, x, mean);
    }
  }
}
