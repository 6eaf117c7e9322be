/**
 * The story of a pretraining: a family of anchors from scratch on one folder of images, one after the other or all together.
 * Everything that a killed run needs is in one checkpoint file, so that the same command goes on where it stopped and
 * ends with the same numbers: batches and mixup depend on seed and position alone.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { ImagePretraining } from '../../config/schema/pretraining.js';
import { type BatchLoader, openBatchesFor } from '../../data/batches/batches.js';
import type { Dataset } from '../../data/dataset.js';
import { readImageFolder } from '../../data/image-folder.js';
import type { Preprocessing } from '../../data/images/preprocessing.js';
import { toHost } from '../../engine/transfer.js';
import { imageInputOf } from '../../models/architecture.js';
import { architectureNamed } from '../../models/architectures.js';
import { fromScratch } from '../../models/from-scratch.js';
import { exists, writeJson } from '../../shared/files.js';
import { treeOf } from '../../training/parameters.js';
import type { Runtime } from '../../training/runtime.js';
import { finishedResult, type PretrainedAnchorResult, writeAnchor } from './anchor-file.js';
import {
  type AnchorIdentity,
  anchorFile,
  anchorIdentities,
  type PretrainedAnchor,
  refuseOtherAnchor,
} from './anchor-identity.js';
import { trainAnchor } from './anchor-training.js';
import { architecturesOf } from './architectures.js';
import { partialFile, removeCheckpoints } from './checkpoints.js';
import { claimedOutput } from './claimed-output.js';
import { trainingOptions, validationOptions } from './image-splits.js';
import { checkStart, initialNetwork } from './initial-network.js';
import { pretrainTogether } from './pretrain-together.js';

/** @throws RequestError (also where the output was made with other settings or images), TrialError, Interrupted */
export async function pretrain(
  config: ImagePretraining,
  { engine, progress, signal }: Runtime,
): Promise<PretrainedAnchorResult[]> {
  // 1. What is there already; it must have been made as is asked for now.
  const architectures = architecturesOf(config);
  const dataset = await readImageFolder({ name: config.name, root: config.data.root });
  const identities = await anchorIdentities(config, dataset, engine);
  const recordFile = path.join(config.output, 'pretraining.json');
  const before = await finishedBefore(config, identities);
  if (areAll(before) && (await exists(recordFile))) return before;

  return claimedOutput(config.output, async () => {
    // 2. What can be refused at once; the images, decoded once for all anchors, and so prepared alike; then one anchor after
    // the other, or all at once.
    const finished = await finishedBefore(config, identities); // another process may have ended since
    if (areAll(finished) && (await exists(recordFile))) return finished;
    for (const note of dataset.notes) progress.line(`${config.name}: ${note}`);
    for (const [index, anchor] of config.anchors.entries()) {
      if (finished[index]) continue;
      await checkStart(anchor, architectures[index]!, dataset.classes.length, (note) => progress.line(note));
    }
    const { preprocessing } = imageInputOf(architectures[0]!);
    const runtime = { engine, progress, signal };
    const train = () =>
      config.training.together
        ? pretrainTogether(config, identities, dataset, preprocessing, runtime)
        : pretrainInTurn(config, identities, dataset, preprocessing, runtime, finished);
    // A kill between the last anchor and the record costs no training.
    const results = areAll(finished) ? finished : await train();

    // 3. The family's record, which stays true where the folder is moved; what trainings went on from is no longer needed.
    await removeCheckpoints(config);
    const record = { config, results: results.map((result) => ({ ...result, file: path.basename(result.file) })) };
    await writeJson(recordFile, record);
    return results;
  });
}

type Finished = readonly (PretrainedAnchorResult | undefined)[];

/** @throws RequestError where an anchor was made with other settings or images */
async function finishedBefore(config: ImagePretraining, identities: readonly AnchorIdentity[]): Promise<Finished> {
  for (const [index, anchor] of config.anchors.entries()) await refuseOtherAnchor(config, anchor, identities[index]!);
  return Promise.all(config.anchors.map((anchor) => finishedResult(anchorFile(config, anchor), anchor.name)));
}

function areAll(finished: Finished): finished is PretrainedAnchorResult[] {
  return finished.every((result) => result !== undefined);
}

/** @param finished what is done already, anchor by anchor */
async function pretrainInTurn(
  config: ImagePretraining,
  identities: readonly AnchorIdentity[],
  dataset: Dataset,
  preprocessing: Preprocessing,
  runtime: Runtime,
  finished: Finished,
): Promise<PretrainedAnchorResult[]> {
  const { progress } = runtime;
  const train = await openBatchesFor(runtime.engine, trainingOptions(config, dataset, preprocessing, progress));
  const validation = await openBatchesFor(runtime.engine, validationOptions(dataset, preprocessing, progress));
  progress.stop();
  const resources = { ...runtime, train, validation };
  const results: PretrainedAnchorResult[] = [];
  try {
    for (const [index, anchor] of config.anchors.entries()) {
      results.push(finished[index] ?? (await pretrainAnchor(config, anchor, identities[index]!, dataset, resources)));
    }
  } finally {
    await train.close();
    await validation.close();
  }
  return results;
}

interface Resources extends Runtime {
  readonly train: BatchLoader;
  readonly validation: BatchLoader;
}

async function pretrainAnchor(
  config: ImagePretraining,
  anchor: PretrainedAnchor,
  identity: AnchorIdentity,
  { classes }: Dataset,
  { train, validation, ...runtime }: Resources,
): Promise<PretrainedAnchorResult> {
  const { name, architecture } = anchor;
  const { seed, data, output } = config;
  const { training } = identity;
  const { epochs, learning_rate } = training;
  const file = anchorFile(config, anchor);
  const known = architectureNamed(architecture, data.image_size);
  const start = await initialNetwork(anchor, known, classes.length, seed);
  const family = fromScratch(known);
  const checkpoint = partialFile(config, anchor);
  const { template, parameters, accuracy } = await trainAnchor(runtime, {
    ...{ name, architecture, family, start, classes: classes.length, seed, epochs, train, validation, checkpoint },
    warmupEpochs: training.warmup_epochs,
    peakLearningRate: learning_rate,
    weightDecay: training.weight_decay,
    labelSmoothing: training.label_smoothing,
    mixup: training.mixup,
    patchDropout: training.patch_dropout,
    fingerprint: JSON.stringify(identity),
    metricsFile: path.join(output, 'metrics.jsonl'),
  });
  const network = treeOf(template, await toHost(runtime.engine, parameters));
  await writeAnchor(file, architecture, { network, epoch: epochs, accuracy }, identity);
  await rm(checkpoint, { force: true });
  runtime.engine.free(parameters);
  return { name, file, epochs, accuracy };
}
