/**
 * Starts the stitching layers: both anchors read the same images, and each layer is the least-squares map from what its
 * front blocks put out to what its end blocks expect (SN-Net, section 3).
 */
import type * as tf from '@tensorflow/tfjs';
import type { Engine, TensorFunction, Value } from '../engine/engine.js';
import type { Linear } from '../models/layers.js';
import { tokensOf, type ViTVariant } from '../models/variants.js';
import { embed, runBlock, type ViTWeights } from '../models/vision-transformer.js';
import { type Float32NdArray, float32 } from '../shared/arrays.js';
import {
  addInputs,
  addTargets,
  averageLayers,
  fitStitchingLayer,
  type InputMoments,
  inputMoments,
  type TargetMoments,
  targetMoments,
} from './least-squares.js';
import type { StitchingLayer, StitchSpace } from './stitch-space.js';

export interface StartedLayer extends Linear<Float32NdArray> {
  /** Relative error of the fits, averaged: 0 is perfect, 1 no better than a constant. */
  readonly relativeError: number;
}

/** @param batches images [batch, side, side, 3] */
export async function startStitchingLayers(
  engine: Engine,
  { stitchingLayers }: Pick<StitchSpace, 'stitchingLayers'>,
  anchors: readonly ViTWeights<Value>[],
  variants: readonly ViTVariant[],
  batches: Iterable<Float32NdArray>,
): Promise<StartedLayer[]> {
  const inputs = new Map<string, InputMoments>();
  const targets = new Map<string, TargetMoments>();
  for (const images of batches) {
    const features = await featuresOf(engine, anchors, variants, images);
    addFeatures(stitchingLayers, variants, features, inputs, targets);
  }
  return stitchingLayers.map((layer) => {
    const fits = frontBlocks(layer).map((front) => {
      const moments = targets.get(`${layer.index}/${front}`)!;
      return fitStitchingLayer(inputs.get(`${layer.fromAnchor}/${front}`)!, moments);
    });
    const { weight, bias } = averageLayers(fits);
    const [from, to] = [variants[layer.fromAnchor]!.width, variants[layer.toAnchor]!.width];
    const relativeError = fits.reduce((sum, fit) => sum + fit.relativeError, 0) / fits.length;
    return { weight: float32([from, to], weight), bias: float32([to], bias), relativeError };
  });
}

const frontBlocks = ({ pairs }: StitchingLayer) => [...new Set(pairs.map(([front]) => front))];

/** What enters every block of every anchor, and what leaves the last: [anchor][0..depth], rows of the anchor's width. */
async function featuresOf(
  engine: Engine,
  anchors: readonly ViTWeights<Value>[],
  variants: readonly ViTVariant[],
  images: Float32NdArray,
): Promise<Float32Array[][]> {
  const features: Float32Array[][] = [];
  for (const [index, weights] of anchors.entries()) {
    const variant = variants[index]!;
    const run = engine.compile(`features of ${variant.name}`, ((given: {
      weights: ViTWeights<tf.Tensor>;
      images: tf.Tensor;
    }) => {
      const tokens = [embed(given.weights.embedding, given.images, variant)];
      for (const block of given.weights.blocks) tokens.push(runBlock(block, tokens.at(-1)!, variant));
      return tokens;
    }) as unknown as TensorFunction);
    const input = engine.put(images);
    const outputs = (await run({ weights, images: input } as never)) as readonly Value[];
    features.push(await Promise.all(outputs.map(async (value) => (await engine.get(value)).data as Float32Array)));
    engine.free([input, ...outputs]);
  }
  return features;
}

/** Pairs of a layer that share a front block are one fit to the mean of their targets: the solution is linear in them. */
function addFeatures(
  layers: readonly StitchingLayer[],
  variants: readonly ViTVariant[],
  features: readonly (readonly Float32Array[])[],
  inputs: Map<string, InputMoments>,
  targets: Map<string, TargetMoments>,
): void {
  const added = new Set<string>();
  for (const layer of layers) {
    const from = variants[layer.fromAnchor]!;
    const to = variants[layer.toAnchor]!;
    if (tokensOf(from) !== tokensOf(to)) throw new Error('anchors that are stitched see the same tokens');
    for (const front of frontBlocks(layer)) {
      const x = features[layer.fromAnchor]![front + 1]!;
      const key = `${layer.fromAnchor}/${front}`;
      if (!inputs.has(key)) inputs.set(key, inputMoments(from.width));
      if (!added.has(key)) addInputs(inputs.get(key)!, x);
      added.add(key);
      const wanted = layer.pairs.filter(([j]) => j === front).map(([, k]) => features[layer.toAnchor]![k]!);
      const mean = wanted[0]!.map((_, at) => wanted.reduce((sum, y) => sum + y[at]!, 0) / wanted.length);
      const target = `${layer.index}/${front}`;
      const held = targets.get(target) ?? targetMoments(from.width, to.width);
      targets.set(target, held);
      addTargets(held, x, mean);
    }
  }
}
