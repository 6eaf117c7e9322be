/**
 * One deployed stitch of a finished trial, as a network of its own: what was trained is merged into the weights of its
 * anchors (W + A B, b + b_n), so that it has their layers and nothing beside them.
 */
import path from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import { loadExperiment } from '../../config/load.js';
import { bind } from '../../engine/bind.js';
import type { LogitsFunction } from '../../evaluation/accuracy.js';
import type { Classifier } from '../../evaluation/predict.js';
import type { Architecture } from '../../models/architecture.js';
import type { Linear } from '../../models/layers.js';
import type { StitchResult } from '../../run-folder/result.js';
import { commandOf, findRunFolders, type RunFolder, readRunFolder } from '../../run-folder/run-folder.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { type Float32NdArray, isFloat32 } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { formatNextStep } from '../../shared/next-step.js';
import { mergeStitch } from '../../stitching/parameters/merge.js';
import { noTrainables } from '../../stitching/parameters/trainables.js';
import { lastAnchor, type Stitch } from '../../stitching/space/stitch.js';
import { type FrozenPath, runStitch, withTrainedWeights } from '../../stitching/stitchable-network.js';
import { imageRecipeOf } from '../recipe.js';
import { pstSpaceOf } from '../space.js';
import { loadAnchors, mergeAnchors } from '../trial/network.js';
import { readTrained } from '../trial/trained-file.js';

export interface DeployedChoice {
  /** Name of the trial folder; may be left out where the run has one finished trial. */
  readonly trial?: string | undefined;
  /** Id of a deployed stitch. */
  readonly stitch?: number | undefined;
  /** Multiply-accumulates of one image: the dearest deployed stitch that costs no more. */
  readonly budget?: number | undefined;
}

/** The weights of a deployed stitch, and nothing else. */
export interface DeployedWeights<T> {
  readonly path: FrozenPath<T>;
  readonly head: Linear<T>;
}

export interface DeployedNetwork extends Classifier {
  readonly trial: string;
  /** FLOPs, parameters, and accuracy on the test images. */
  readonly result: StitchResult;
  readonly weights: DeployedWeights<Float32NdArray>;
  readonly classes: readonly string[];
  /** Its weights as tensors, normalised images [batch, side, side, 3] -> logits [batch, classes]. */
  readonly logits: LogitsFunction<DeployedWeights<tf.Tensor>>;
}

/** @throws RequestError when there is no such run, trial or stitch, or the pretrained anchors are not there any more */
export async function openDeployed(runFolder: string, choice: DeployedChoice = {}): Promise<DeployedNetwork> {
  const [folder, ...others] = await findRunFolders([runFolder]);
  if (others.length > 0) {
    throw new RequestError(`${runFolder} holds ${others.length + 1} run folders`, `Give one of them: ${folder}.`);
  }
  const trial = chosenTrial(await readRunFolder(folder!), choice.trial);
  const result = chosenStitch(trial, choice);
  const { config: experiment } = await loadExperiment(path.join(folder!, 'experiment.yaml'));
  const trained = await readTrained(path.join(folder!, 'trials', trial.name, 'trained.safetensors'));
  const { classes, trainables } = trained;
  const { space, network } = pstSpaceOf(experiment, classes.length);
  const { anchors: architectures } = network;
  const pretrained = await loadAnchors(experiment.anchors, architectures, classes.length);
  const { weights: anchors } = mergeAnchors(pretrained, { space, network }, trained.alone);
  const frozen = withTrainedWeights({ anchors, layers: trained.layers }, trainables, isFloat32);
  const stitch = space.stitches[result.id]!;
  const head = trainables.heads[lastAnchor(stitch)]!;
  const weights = { path: mergeStitch(stitch, frozen, trainables, architectures), head };
  const logits: DeployedNetwork['logits'] = (weights, images) => runMerged(stitch, weights, images, architectures);
  return {
    trial: trial.name,
    result,
    classes,
    preprocessing: imageRecipeOf(experiment, architectures[0]!).preprocessing,
    weights,
    logits,
    load: (engine) => bind(engine, `predict ${trial.name} ${result.id}`, weights, logits),
  };
}

function runMerged(
  stitch: Stitch,
  { path: frozen, head }: DeployedWeights<tf.Tensor>,
  images: tf.Tensor,
  architectures: readonly Architecture[],
): tf.Tensor {
  const trainables = { ...noTrainables, heads: { [lastAnchor(stitch)]: head } };
  return runStitch(stitch, frozen, trainables, images, architectures);
}

function chosenTrial(run: RunFolder, name: string | undefined): TrialRecord {
  const { folder } = run;
  const finished = run.trials.filter(({ result }) => result);
  const matching = name === undefined ? finished : finished.filter((trial) => trial.name === name);
  if (matching.length === 1) return matching[0]!;
  const names = finished.map((trial) => trial.name).join(', ') || 'none';
  if (name === undefined && finished.length === 0) {
    throw new RequestError(
      `${folder} has no finished trial`,
      formatNextStep({ purpose: 'The run goes on with:', command: commandOf(run) }),
    );
  }
  throw new RequestError(
    name === undefined
      ? `${folder} has ${finished.length} finished trials`
      : `${folder} has no finished trial ${JSON.stringify(name)}`,
    `Choose one with --trial: ${names}.`,
  );
}

function chosenStitch({ name, result }: TrialRecord, { stitch: id, budget }: DeployedChoice): StitchResult {
  const stitches = [...result!.stitches].sort((a, b) => a.flops - b.flops);
  const deployed = stitches.map(({ id, flops }) => `${id} (${(flops / 1e9).toPrecision(3)} GFLOPs)`).join(', ');
  if (id !== undefined) {
    const found = stitches.find((stitch) => stitch.id === id);
    if (found) return found;
    throw new RequestError(`stitch ${id} is not deployed in ${name}`, `Deployed are ${deployed}.`);
  }
  const affordable = budget === undefined ? stitches : stitches.filter(({ flops }) => flops <= budget);
  const dearest = affordable.at(-1);
  if (dearest) return dearest;
  throw new RequestError(`no stitch of ${name} costs ${budget! / 1e9} GFLOPs or less`, `Deployed are ${deployed}.`);
}
