/**
 * Fits the stitching layers: both anchors read the same inputs, and each layer is the least-squares map from what its
 * front blocks put out to what its end blocks expect (SN-Net, section 3).
 */
import type * as tf from '@tensorflow/tfjs';
import type { Engine, Value } from '../../engine/engine.js';
import { openMatrixProduct } from '../../engine/onnx/float64/matrix-product.js';
import { openRowMoments, type RowMoments } from '../../engine/onnx/float64/row-moments.js';
import { toHost } from '../../engine/transfer.js';
import type { Architecture } from '../../models/architecture.js';
import { blockwise } from '../../models/blockwise.js';
import type { NetworkWeights } from '../../models/family.js';
import type { Linear } from '../../models/layers.js';
import { type Float32NdArray, float32, type NdArray } from '../../shared/arrays.js';
import type { StitchingLayer, StitchSpace } from '../space/stitch-space.js';
import { averageLayers, type FitOfPairs, fitTargets, type Moments, noRows, withRows } from './least-squares.js';

export interface FittedLayer extends Linear<Float32NdArray> {
  /** Relative error of the fits, averaged over the pairs of the layer: 0 is perfect, 1 no better than a constant. */
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
  const fronts = frontsOf(stitchingLayers, architectures);
  const rowMoments = openRowMoments();
  let done = 0;
  for (const inputs of batches) {
    const features: Features[] = [];
    for (const [anchor, weights] of anchors.entries()) {
      const needed = neededFeatures(stitchingLayers, anchor);
      features.push(await featuresOf(engine, weights, architectures[anchor]!, needed, inputs));
    }
    for (const front of fronts) await addFeatures(rowMoments, front, features);
    onBatch(++done);
  }
  await rowMoments.dispose();
  const fits = await fitsOf(fronts);
  return stitchingLayers.map((layer) => {
    const { weight, bias, relativeError } = averageLayers(fits.get(layer)!);
    const { from, to } = ends(layer, architectures);
    return { weight: float32([from.width, to.width], weight), bias: float32([to.width], bias), relativeError };
  });
}

/** What leaves one block, and all that is fitted to it. */
interface Front {
  readonly anchor: number;
  readonly block: number;
  /** The pairs of a layer that share the front block are one fit to the mean of their targets: the solution is linear in them. */
  readonly targets: readonly { readonly layer: StitchingLayer; readonly ends: readonly number[] }[];
  moments: Moments;
}

function frontsOf(layers: readonly StitchingLayer[], architectures: readonly Architecture[]): Front[] {
  const fronts = new Map<string, Omit<Front, 'moments'> & { readonly targets: Front['targets'][number][] }>();
  for (const layer of layers) {
    const { from, to } = ends(layer, architectures);
    if (from.positions !== to.positions) throw new Error('anchors that are stitched see the same tokens');
    for (const block of frontBlocks(layer)) {
      const key = `${layer.fromAnchor}/${block}`;
      const front = fronts.get(key) ?? { anchor: layer.fromAnchor, block, targets: [] };
      fronts.set(key, front);
      front.targets.push({ layer, ends: layer.pairs.filter(([front]) => front === block).map(([, end]) => end) });
    }
  }
  return [...fronts.values()].map((front) => {
    const widths = front.targets.map(({ layer }) => ends(layer, architectures).to.width);
    return { ...front, moments: noRows(architectures[front.anchor]!.blocks[front.block]!.width, widths) };
  });
}

async function addFeatures(moments: RowMoments, front: Front, features: readonly Features[]): Promise<void> {
  const targets = front.targets.map(({ layer, ends }) =>
    ends.map((end) => features[layer.toAnchor]!.entering[end]!.data),
  );
  front.moments = await withRows(moments, front.moments, features[front.anchor]!.leaving[front.block]!.data, targets);
}

/** The fits of each layer, by rising front block. */
async function fitsOf(fronts: readonly Front[]): Promise<Map<StitchingLayer, FitOfPairs[]>> {
  const products = await openMatrixProduct();
  const fits = new Map<StitchingLayer, FitOfPairs[]>();
  for (const { moments, targets } of fronts) {
    const ofFront = await fitTargets(products, moments);
    for (const [index, { layer, ends }] of targets.entries()) {
      fits.set(layer, [...(fits.get(layer) ?? []), { ...ofFront[index]!, pairs: ends.length }]);
    }
  }
  await products.dispose();
  return fits;
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
