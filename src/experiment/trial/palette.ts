/** The network of a trial on the engine: frozen anchors, started stitching layers, and what is counted about them. */
import type { Experiment } from '../../config/schema/experiment.js';
import type { Engine } from '../../engine/engine.js';
import { toDevice, toHost } from '../../engine/transfer.js';
import type { Architecture } from '../../models/architecture.js';
import type { NetworkWeights } from '../../models/family.js';
import { loadNetwork } from '../../models/pretrained/load-network.js';
import type { Float32NdArray } from '../../shared/arrays.js';
import { fitStitchingLayers } from '../../stitching/fit/stitching-layers.js';
import { initialTrainables } from '../../stitching/parameters/initial.js';
import { mergeStitch } from '../../stitching/parameters/merge.js';
import { namedTrainables } from '../../stitching/parameters/names.js';
import type { Trainables } from '../../stitching/parameters/trainables.js';
import { type Adaptation, type StitchableNetwork, stitchFlops } from '../../stitching/space/cost.js';
import { type FlopsBins, flopsBins, gridBetween } from '../../stitching/space/flops-bins.js';
import { isAnchor } from '../../stitching/space/stitch.js';
import { largestAnchor, type StitchSpace } from '../../stitching/space/stitch-space.js';
import { namedLeaves } from '../../training/parameters.js';
import type { StitchedNetwork } from '../../training/step-runner.js';
import type { Named } from '../../training/training-state.js';
import { type ExperimentSpace, spaceOf } from '../space.js';

export interface Palette extends StitchedNetwork {
  readonly space: StitchSpace;
  readonly flops: readonly number[];
  readonly bins: FlopsBins;
  /** Relative error of the least-squares start of each stitching layer. */
  readonly startErrors: readonly number[];
  /** Heads that were trained before; others start anew. */
  readonly heads: Heads;
}

type Heads = Trainables<Float32NdArray>['heads'];

/** The anchors of an experiment, small to large, and heads that fit them. */
export interface Anchors {
  readonly weights: readonly NetworkWeights<Float32NdArray>[];
  readonly heads: Heads;
}

/** The pretrained anchors; their heads are of another task. */
export async function loadAnchors(
  { anchors }: Experiment,
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
  { space, network }: Pick<Palette, 'space' | 'network'>,
  trained: Trainables<Float32NdArray>,
): Anchors {
  const frozen = { anchors: anchors.weights, layers: [] };
  return {
    weights: anchors.weights.map(
      (_, anchor) => mergeStitch(space.stitches[anchor]!, frozen, trained, network.anchors).anchors[anchor]!,
    ),
    heads: trained.heads,
  };
}

/** Anchors that are adapted alone: a space without stitching layers. */
export function anchorsPalette(
  engine: Engine,
  experiment: Experiment,
  classes: number,
  adaptation: Adaptation,
  anchors: Anchors,
): Palette {
  const { space, ...rest } = spaceOf(experiment, classes, adaptation);
  const alone = { stitches: space.stitches.filter(isAnchor), stitchingLayers: [] };
  const frozen = {
    anchors: anchors.weights.map((weights) => toDevice(engine, weights)),
    layers: [],
  };
  return paletteOf({ bins: 1 }, { ...rest, space: alone }, frozen, anchors, []);
}

/** The stitched anchors; stitching layers are fitted on `images`, batches [batch, side, side, 3]. */
export async function stitchedPalette(
  engine: Engine,
  experiment: Experiment,
  classes: number,
  adaptation: StitchableNetwork['adaptation'],
  anchors: Anchors,
  images: readonly Float32NdArray[],
  onBatch?: (done: number) => void,
): Promise<Palette> {
  const known = spaceOf(experiment, classes, adaptation);
  const weights = anchors.weights.map((anchor) => toDevice(engine, anchor));
  const started = await fitStitchingLayers(engine, known.space, weights, known.anchors, images, onBatch);
  const layers = started.map(({ weight, bias }) => toDevice(engine, { weight, bias }));
  const errors = started.map(({ relativeError }) => relativeError);
  return paletteOf(experiment.sampling, known, { anchors: weights, layers }, anchors, errors);
}

function paletteOf(
  { bins: count, bin_edges: edges }: Pick<Experiment['sampling'], 'bins' | 'bin_edges'>,
  { space, network }: Omit<ExperimentSpace, 'anchors'>,
  frozen: Palette['frozen'],
  { heads }: Anchors,
  startErrors: readonly number[],
): Palette {
  const flops = space.stitches.map((stitch) => stitchFlops(stitch, network));
  const largest = largestAnchor(space);
  const teacher = space.stitches[largest]!;
  const bins = flopsBins(flops, largest, { count, ...(edges && { grid: gridBetween(flops, edges, count) }) });
  return { space, network, frozen, teacher, flops, bins, startErrors, heads };
}

/** What the given stitches train, before the first step. */
export async function initialParameters(
  engine: Engine,
  { space, network, frozen, heads }: Palette,
  stitches: readonly number[],
  seed: number,
): Promise<Named<Float32NdArray>> {
  const weights = network.adaptation === 'full' ? namedLeaves<Float32NdArray>(await toHost(engine, frozen)) : {};
  const trained = { ...space, stitches: stitches.map((id) => space.stitches[id]!) };
  return namedTrainables(initialTrainables(trained, network, seed, { weights, heads }));
}
