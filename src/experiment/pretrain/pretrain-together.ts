/** All anchors of a family pretrained in the same steps; a killed run goes on from the one checkpoint that they share. */
import path from 'node:path';
import type { ImagePretraining } from '../../config/schema/pretraining.js';
import { openBatchesFor, openRawBatches } from '../../data/batches/batches.js';
import type { Dataset } from '../../data/dataset.js';
import type { Preprocessing } from '../../data/images/preprocessing.js';
import { architectureNamed } from '../../models/architectures.js';
import { fromScratch } from '../../models/from-scratch.js';
import { RequestError } from '../../shared/errors.js';
import type { Runtime } from '../../training/runtime.js';
import { type PretrainedAnchorResult, writeAnchor } from './anchor-file.js';
import { type AnchorIdentity, anchorFile } from './anchor-identity.js';
import { latestFile, togetherPartialFile } from './checkpoints.js';
import { trainingOptions, validationOptions } from './image-splits.js';
import { initialNetwork } from './initial-network.js';
import { trainTogether } from './together-training.js';

function refuseTooFew(images: number, imagesOfProgram: number): void {
  if (images >= imagesOfProgram) return;
  throw new RequestError(
    `${images} training images do not fill the steps of one program, training.together.steps x training.batch_size = ${imagesOfProgram}`,
    'Lower one of the two, or add images.',
  );
}

/** @param identities of the anchors, in their order */
export async function pretrainTogether(
  config: ImagePretraining,
  identities: readonly AnchorIdentity[],
  dataset: Dataset,
  preprocessing: Preprocessing,
  runtime: Runtime,
): Promise<PretrainedAnchorResult[]> {
  const { seed, data, output, training } = config;
  const { distillation, clip_norm: clipNorm, steps } = training.together!;
  const anchors = await Promise.all(
    config.anchors.map(async (anchor, index) => {
      const { name, architecture } = anchor;
      const whole = architectureNamed(architecture, data.image_size);
      return {
        name,
        architecture,
        family: fromScratch(whole),
        start: await initialNetwork(anchor, whole, dataset.classes.length, seed),
        params: whole.blocks.reduce((sum, { params }) => sum + params, 0),
        peakLearningRate: identities[index]!.training.learning_rate,
      };
    }),
  );
  const teacher = anchors.reduce((largest, anchor) => (anchor.params > largest.params ? anchor : largest)).name;
  const checkpoint = togetherPartialFile(config);

  const imagesOfProgram = steps * training.batch_size;
  refuseTooFew(dataset.splits.train.length, imagesOfProgram);
  const options = trainingOptions(config, dataset, preprocessing, runtime.progress);
  const train = await openRawBatches({ ...options, batchSize: imagesOfProgram });
  const validation = await openBatchesFor(runtime.engine, validationOptions(dataset, preprocessing, runtime.progress));
  runtime.progress.stop();
  try {
    const trained = await trainTogether(runtime, {
      ...{ anchors, teacher, distillation, clipNorm, steps, seed, preprocessing, train, validation, checkpoint },
      classes: dataset.classes.length,
      epochs: training.epochs,
      warmupEpochs: training.warmup_epochs,
      weightDecay: training.weight_decay,
      labelSmoothing: training.label_smoothing,
      mixup: training.mixup,
      patchDropout: training.patch_dropout,
      jitters: training.augmentation.color_jitter > 0,
      fingerprint: JSON.stringify(identities),
      metricsFile: path.join(output, 'metrics.jsonl'),
      onMeasured: (name, measured) => {
        const index = anchors.findIndex((anchor) => anchor.name === name);
        const file = latestFile(config, config.anchors[index]!);
        return writeAnchor(file, anchors[index]!.architecture, measured, identities[index]!);
      },
    });
    const results: PretrainedAnchorResult[] = [];
    for (const [index, { name, architecture }] of anchors.entries()) {
      const measured = trained.get(name)!;
      const file = anchorFile(config, config.anchors[index]!);
      await writeAnchor(file, architecture, measured, identities[index]!);
      results.push({ name, file, epochs: measured.epoch, accuracy: measured.accuracy });
    }
    return results;
  } finally {
    await train.close();
    await validation.close();
  }
}
