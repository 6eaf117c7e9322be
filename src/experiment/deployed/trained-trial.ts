/**
 * A finished trial, opened to use its stitches as networks of their own: what was trained is merged into the weights of
 * their anchors (W + A B, b + b_n), so that each has their layers and nothing beside them.
 */
import type * as tf from '@tensorflow/tfjs';
import type { Experiment } from '../../config/schema/experiment.js';
import type { DeepReadonly } from '../../config/schema/fields.js';
import type { Preprocessing } from '../../data/images/preprocessing.js';
import type { LogitsFunction } from '../../evaluation/accuracy.js';
import type { Architecture } from '../../models/architecture.js';
import type { Linear } from '../../models/layers.js';
import type { ImagesIdentity } from '../../run-folder/identity/input-identity.js';
import { recordedIdentity, refuseOtherWeights } from '../../run-folder/identity/recorded.js';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import { trialFolderIn } from '../../run-folder/run-writer.js';
import { type Float32NdArray, isFloat32 } from '../../shared/arrays.js';
import { mergeStitch } from '../../stitching/parameters/merge.js';
import { noTrainables } from '../../stitching/parameters/trainables.js';
import { lastAnchor, type Stitch } from '../../stitching/space/stitch.js';
import { type FrozenPath, runStitch, withTrainedWeights } from '../../stitching/stitchable-network.js';
import { imageRecipeOf } from '../recipe.js';
import { loadAnchors, mergeAnchors } from '../trial/network.js';
import { openTrainedStitches, type StitchFacts, type TrainedStitches } from './trained-stitches.js';

/** The weights of a stitch, and nothing else. */
export interface StitchWeights<T> {
  readonly path: FrozenPath<T>;
  readonly head: Linear<T>;
}

/** A trained stitch on its own. */
export interface StitchNetwork {
  readonly trial: string;
  /** Name of the data set, and seed, that it was trained with. */
  readonly dataset: string;
  readonly seed: number;
  readonly result: StitchFacts;
  readonly weights: StitchWeights<Float32NdArray>;
  readonly classes: readonly string[];
  readonly preprocessing: Preprocessing;
  /** What it was trained by. */
  readonly experiment: DeepReadonly<Experiment>;
  /** The images that it was trained and tested with; left out: drawn ones, or an old version has not recorded them. */
  readonly images?: ImagesIdentity;
  readonly stitch: Stitch;
  /** Of all anchors, small to large. */
  readonly architectures: readonly Architecture[];
  /** Its weights as tensors, normalised images [batch, side, side, 3] -> logits [batch, classes]. */
  readonly logits: LogitsFunction<StitchWeights<tf.Tensor>>;
}

export interface TrainedTrial extends MeasuredRun, Pick<TrainedStitches, 'trained' | 'facts'> {
  /** @throws RequestError when the stitch was not trained */
  network(id: number): StitchNetwork;
}

/** @throws RequestError when the pretrained anchors are not there any more */
export async function openTrial(run: MeasuredRun): Promise<TrainedTrial> {
  const { dataset, seed } = run.result;
  const known = await openTrainedStitches(run);
  const { experiment, space, architectures } = known;
  const { classes, trainables, layers, alone } = known.stored;
  const trialFolder = trialFolderIn(run.folder, run);
  await refuseOtherWeights(trialFolder, experiment.anchors);
  const images = (await recordedIdentity(trialFolder))?.images;
  const pretrained = await loadAnchors(experiment.anchors, architectures, classes.length);
  const { weights: anchors } = mergeAnchors(pretrained, { space, architectures }, alone);
  const frozen = withTrainedWeights({ anchors, layers }, trainables, isFloat32);
  const { preprocessing } = imageRecipeOf(experiment, architectures[0]!);
  return {
    ...run,
    trained: known.trained,
    facts: known.facts,
    network(id) {
      const result = known.facts(id);
      const stitch = space.stitches[id]!;
      const head = trainables.heads[lastAnchor(stitch)]!;
      return {
        trial: run.name,
        dataset,
        seed,
        result,
        classes,
        preprocessing,
        experiment,
        ...(images && { images }),
        stitch,
        architectures,
        weights: { path: mergeStitch(stitch, frozen, trainables, architectures), head },
        logits: (weights, images) => runMerged(stitch, weights, images, architectures),
      };
    },
  };
}

function runMerged(
  stitch: Stitch,
  { path: frozen, head }: StitchWeights<tf.Tensor>,
  images: tf.Tensor,
  architectures: readonly Architecture[],
): tf.Tensor {
  const trainables = { ...noTrainables, heads: { [lastAnchor(stitch)]: head } };
  return runStitch(stitch, frozen, trainables, images, architectures);
}
