/**
 * A finished trial, opened to use its stitches as networks of their own: what was trained is merged into the weights of
 * their anchors (W + A B, b + b_n), so that each has their layers and nothing beside them.
 */
import path from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import { loadExperiment } from '../../config/load.js';
import { type Experiment, isTextExperiment, type Method } from '../../config/schema/experiment.js';
import type { DeepReadonly } from '../../config/schema/fields.js';
import type { Preprocessing } from '../../data/images/preprocessing.js';
import type { LogitsFunction } from '../../evaluation/accuracy.js';
import type { Architecture } from '../../models/architecture.js';
import type { Linear } from '../../models/layers.js';
import type { ImagesIdentity } from '../../run-folder/identity/input-identity.js';
import { recordedIdentity, refuseOtherWeights } from '../../run-folder/identity/recorded.js';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import type { StitchResult } from '../../run-folder/result.js';
import { trialFolderIn } from '../../run-folder/run-writer.js';
import { type Float32NdArray, isFloat32 } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { estaCommand, formatNextStep } from '../../shared/next-step.js';
import { mergeStitch } from '../../stitching/parameters/merge.js';
import { noTrainables } from '../../stitching/parameters/trainables.js';
import { stitchFlops, stitchParams, trainableParams } from '../../stitching/space/cost.js';
import { isAnchor, lastAnchor, type Stitch } from '../../stitching/space/stitch.js';
import { type FrozenPath, runStitch, withTrainedWeights } from '../../stitching/stitchable-network.js';
import { imageRecipeOf } from '../recipe.js';
import { recordedAdaptation } from '../recorded-recipe.js';
import { spaceOf } from '../space.js';
import { loadAnchors, mergeAnchors } from '../trial/network.js';
import { readTrained, requireFits } from '../trial/trained-file.js';

/** The weights of a stitch, and nothing else. */
export interface StitchWeights<T> {
  readonly path: FrozenPath<T>;
  readonly head: Linear<T>;
}

/** What is known of a stitch; its accuracy where it was tested. */
export type StitchFacts = Omit<StitchResult, 'accuracy'> & Partial<Pick<StitchResult, 'accuracy'>>;

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

export interface TrainedTrial extends MeasuredRun {
  /** Ids of all stitches that were trained, deployed or not. */
  readonly trained: readonly number[];
  /** @throws RequestError when the stitch was not trained */
  facts(id: number): StitchFacts;
  /** @throws RequestError when the stitch was not trained */
  network(id: number): StitchNetwork;
}

/** @throws RequestError when the pretrained anchors are not there any more */
export async function openTrial(run: MeasuredRun): Promise<TrainedTrial> {
  const { folder, name, result } = run;
  const { config: experiment } = await loadExperiment(path.join(folder, 'experiment.yaml'));
  if (isTextExperiment(experiment)) {
    throw new RequestError(
      `${folder} has trained language models, which classify no images`,
      formatNextStep({
        purpose: 'What they answer:',
        command: estaCommand('generate', 'TEXT', '--run', folder, '--compare'),
      }),
    );
  }
  const trialFolder = trialFolderIn(folder, run);
  await refuseOtherWeights(trialFolder, experiment.anchors);
  const images = (await recordedIdentity(trialFolder))?.images;
  const trained = await readTrained(path.join(trialFolder, 'trained.safetensors'));
  const { classes, trainables, layers, stitches } = trained;
  const { architectures, space } = spaceOf(experiment.anchors, experiment.stitching, experiment.preprocessing.crop);
  const adaptation = await recordedAdaptation(trialFolder, result.method as Method, experiment);
  const network = { anchors: architectures, classes: classes.length, adaptation };
  requireFits(trained, space.stitches, network);
  const pretrained = await loadAnchors(experiment.anchors, architectures, classes.length);
  const { weights: anchors } = mergeAnchors(pretrained, { space, architectures }, trained.alone);
  const frozen = withTrainedWeights({ anchors, layers }, trainables, isFloat32);
  const { preprocessing } = imageRecipeOf(experiment, architectures[0]!);
  const isTrained = (stitch: Stitch) =>
    (stitches?.includes(stitch.id) ?? true) &&
    trainables.heads[lastAnchor(stitch)] !== undefined &&
    (isAnchor(stitch) || layers.length > 0);
  const stitchOf = (id: number) => {
    const stitch = space.stitches[id];
    if (!stitch || !isTrained(stitch)) throw new RequestError(`stitch ${id} was not trained in ${name}`);
    return stitch;
  };
  const factsOf = (stitch: Stitch): StitchFacts =>
    result.stitches.find(({ id }) => id === stitch.id) ?? {
      id: stitch.id,
      path: stitch.path.map(({ anchor, blocks }) => ({ anchor: experiment.anchors[anchor]!.name, blocks })),
      flops: stitchFlops(stitch, network),
      params: stitchParams(stitch, network).total,
      trainable: trainableParams(stitch, network).total,
    };
  return {
    ...run,
    trained: space.stitches.filter(isTrained).map(({ id }) => id),
    facts: (id) => factsOf(stitchOf(id)),
    network(id) {
      const stitch = stitchOf(id);
      const head = trainables.heads[lastAnchor(stitch)]!;
      return {
        trial: name,
        dataset: result.dataset,
        seed: result.seed,
        result: factsOf(stitch),
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
