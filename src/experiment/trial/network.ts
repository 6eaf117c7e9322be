/** The network of a trial on the engine: frozen anchors, started stitching layers, and what is counted about them. */
import type { AnchorConfig } from '../../config/schema/experiment.js';
import type { Engine, Value } from '../../engine/engine.js';
import { frozenOnDevice, toHost } from '../../engine/transfer.js';
import type { Architecture } from '../../models/architecture.js';
import type { NetworkWeights } from '../../models/family.js';
import { loadNetwork } from '../../models/pretrained/load-network.js';
import type { Float32NdArray, NdArray } from '../../shared/arrays.js';
import { fitStitchingLayers } from '../../stitching/fit/stitching-layers.js';
import { initialTrainables } from '../../stitching/parameters/initial.js';
import { mergeStitch } from '../../stitching/parameters/merge.js';
import { namedTrainables } from '../../stitching/parameters/names.js';
import type { Trainables } from '../../stitching/parameters/trainables.js';
import { type Adaptation, type StitchableNetwork, stitchFlops, stitchParams } from '../../stitching/space/cost.js';
import { type FlopsBins, flopsBins, gridBetween } from '../../stitching/space/flops-bins.js';
import { isAnchor } from '../../stitching/space/stitch.js';
import { largestAnchor, type StitchSpace } from '../../stitching/space/stitch-space.js';
import { namedLeaves } from '../../training/parameters.js';
import type { StitchedNetwork } from '../../training/step-runner.js';
import type { Named } from '../../training/training-state.js';
import type { BinsRecipe } from '../recipe.js';
import type { AnchorsSpace } from '../space.js';
import type { TrialContext } from './context.js';
import { requireFits, type StoredTrained } from './trained-file.js';

export interface TrialNetwork extends StitchedNetwork {
  readonly space: StitchSpace;
  readonly flops: readonly number[];
  readonly bins: FlopsBins;
  /** Relative error of the least-squares start of each stitching layer. */
  readonly startErrors: readonly number[];
  /** What was trained before, and is trained further; all else starts anew. */
  readonly start: Partial<Trainables<Float32NdArray>>;
}

type Heads = Trainables<Float32NdArray>['heads'];

/** The anchors of a trial, small to large, and heads that fit them; frozen language models may be of 8 bits. */
export interface Anchors<Stored extends NdArray = Float32NdArray> {
  readonly weights: readonly NetworkWeights<Stored>[];
  readonly heads: Heads;
}

/** The pretrained anchors; their heads are of another task. */
export async function loadAnchors(
  anchors: readonly AnchorConfig[],
  architectures: readonly Architecture[],
  classes: number,
): Promise<Anchors> {
  const weights: NetworkWeights<Float32NdArray>[] = [];
  for (const [index, architecture] of architectures.entries()) {
    weights.push((await loadNetwork(anchors[index]!.checkpoint, architecture, { classes })).weights);
  }
  return { weights, heads: {} };
}

/** The anchors with what they have learned alone merged into them. */
export function mergeAnchors(
  anchors: Anchors,
  { space, architectures }: AnchorsSpace,
  trained: Trainables<Float32NdArray>,
): Anchors {
  const frozen = { anchors: anchors.weights, layers: [] };
  return {
    weights: anchors.weights.map(
      (_, anchor) => mergeStitch(space.stitches[anchor]!, frozen, trained, architectures).anchors[anchor]!,
    ),
    heads: trained.heads,
  };
}

/** What the network of a trial is made of. */
export interface NetworkParts extends AnchorsSpace {
  readonly classes: number;
  readonly anchors: Anchors<NdArray>;
}

/** Anchors that are adapted alone: a space without stitching layers. */
export function networkOfAnchors(engine: Engine, parts: NetworkParts, adaptation: Adaptation): TrialNetwork {
  const space = { stitches: parts.space.stitches.filter(isAnchor), stitchingLayers: [] };
  const weights = anchorsOnDevice(engine, parts.anchors);
  return networkOf({ ...parts, space }, adaptation, { count: 1 }, { anchors: weights, layers: [] }, []);
}

/**
 * The stitched anchors before the first step; stitching layers are fitted on `inputs`, batches [batch, side, side, 3], or
 * int32 [batch, length] without padding.
 */
export async function networkOfStitches(
  { engine, progress, recipe, name }: Pick<TrialContext, 'engine' | 'progress' | 'recipe' | 'name'>,
  parts: NetworkParts,
  adaptation: StitchableNetwork['adaptation'],
  inputs: readonly NdArray[],
): Promise<TrialNetwork> {
  progress.start(`${name}: fitting stitching layers`, inputs.length);
  const onBatch = (done: number) => progress.update(done);
  const weights = anchorsOnDevice(engine, parts.anchors);
  const started = await fitStitchingLayers(engine, parts.space, weights, parts.architectures, inputs, onBatch);
  progress.stop();
  const layers = started.map(({ weight, bias }) => frozenOnDevice(engine, { weight, bias }));
  const errors = started.map(({ relativeError }) => relativeError);
  return networkOf(parts, adaptation, recipe.stitching.bins, { anchors: weights, layers }, errors);
}

/**
 * The network of a trial that has ended, to be trained further.
 * @param trained its stitching layers as they started, and all that it has trained beside the anchors of `parts`
 */
export function networkOfTrained(
  engine: Engine,
  parts: NetworkParts,
  adaptation: StitchableNetwork['adaptation'],
  bins: BinsRecipe,
  trained: Pick<StoredTrained, 'file' | 'layers' | 'trainables'>,
): TrialNetwork {
  const { layers, trainables } = trained;
  requireFits(trained, parts.space.stitches, { anchors: parts.architectures, classes: parts.classes });
  const frozen = { anchors: anchorsOnDevice(engine, parts.anchors), layers: frozenOnDevice(engine, layers) };
  return { ...networkOf(parts, adaptation, bins, frozen, []), start: trainables };
}

function networkOf(
  { space, architectures, classes, anchors }: NetworkParts,
  adaptation: StitchableNetwork['adaptation'],
  { count, edges, over }: BinsRecipe,
  frozen: TrialNetwork['frozen'],
  startErrors: readonly number[],
): TrialNetwork {
  const network: StitchableNetwork = { anchors: architectures, classes, adaptation };
  const flops = space.stitches.map((stitch) => stitchFlops(stitch, network));
  const largest = largestAnchor(space);
  const teacher = space.stitches[largest]!;
  const costs = over === undefined ? flops : space.stitches.map((stitch) => stitchParams(stitch, network).total);
  const bins = flopsBins(costs, largest, { count, ...(edges && { grid: gridBetween(costs, edges, count) }) });
  return { space, network, frozen, teacher, flops, bins, startErrors, start: { heads: anchors.heads } };
}

/** What the given stitches train, before the first step. */
export async function initialParameters(
  engine: Engine,
  { space, network, frozen, start }: TrialNetwork,
  stitches: readonly number[],
  seed: number,
): Promise<Named<Float32NdArray>> {
  const weights = network.adaptation === 'full' ? namedLeaves<Float32NdArray>(await toHost(engine, frozen)) : {};
  const trained = { ...space, stitches: stitches.map((id) => space.stitches[id]!) };
  const values = { ...start, weights: { ...weights, ...start.weights } };
  return namedTrainables(initialTrainables(trained, network, seed, values));
}

function anchorsOnDevice(engine: Engine, { weights }: Anchors<NdArray>): NetworkWeights<Value>[] {
  return weights.map((anchor) => frozenOnDevice(engine, anchor));
}
