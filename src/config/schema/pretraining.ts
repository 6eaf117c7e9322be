/** The pretraining file: a family of anchors, trained from scratch on a folder of images. */
import { z } from 'zod';
import { consistent, type Rule } from './consistency.js';
import {
  count,
  countOrZero,
  type DeepReadonly,
  field,
  filePath,
  fraction,
  identifier,
  nonNegative,
  positive,
} from './fields.js';

const dataFields = z.strictObject({
  kind: field(z.literal('image-folder'), 'Only folders of images.', 'this project'),
  root: field(filePath(), 'Folder with one folder of images for each class.', 'this project'),
  image_size: field(count().default(64), 'Side of the square images in pixels.', 'Tiny ImageNet'),
});

const anchorFields = z.strictObject({
  name: field(identifier(), 'Name in logs, and of the written checkpoint.', 'this project'),
  architecture: field(z.string().min(1), 'Architecture, as the models folder names it.', 'this project'),
  epochs: field(count().optional(), 'Passes of this anchor; left out: training.epochs.', 'this project'),
  learning_rate: field(
    positive().optional(),
    'Peak learning rate of this anchor, lower for wider ones; left out: training.learning_rate.',
    'this project',
  ),
});

const augmentationFields = z.strictObject({
  crop_scale: field(
    z.tuple([positive().max(1), positive().max(1)]).default([0.35, 1]),
    'Least and greatest share of the area that a random crop keeps.',
    'our choice: 0.08 is for larger images',
  ),
  flip: field(z.boolean().default(true), 'Random horizontal flip.', 'DeiT'),
  color_jitter: field(nonNegative().default(0.3), 'Strength of the jitter of brightness and contrast.', 'DeiT'),
});

const trainingFields = z.strictObject({
  epochs: field(count().default(60), 'Passes over the training images.', 'our choice'),
  warmup_epochs: field(countOrZero().default(5), 'Epochs in which the learning rate rises from 0.', 'DeiT'),
  batch_size: field(count().default(128), 'Images of a step.', 'our choice'),
  learning_rate: field(positive().default(1e-3), 'Peak learning rate of AdamW, cosine schedule.', 'our choice'),
  weight_decay: field(nonNegative().default(0.05), 'Decoupled weight decay of matrices.', 'DeiT'),
  label_smoothing: field(fraction().default(0.1), 'Share of the target spread over all classes.', 'DeiT'),
  mixup: field(nonNegative().default(0.2), 'alpha of mixup; 0 turns it off.', 'our choice: DeiT takes 0.8'),
  patch_dropout: field(
    fraction().default(0),
    'Share of the patches that a step of a vision transformer leaves out; the last fifth of the epochs sees all.',
    'PatchDropout (Liu et al. 2023): nearly the same accuracy for nearly half the computation at 0.5',
  ),
  augmentation: augmentationFields.prefault({}),
});

const fields = z.strictObject({
  name: field(identifier(), 'Name of the pretraining and of its run folder.', 'this project'),
  seed: field(countOrZero().default(0), 'Seed of weights, order and augmentation.', 'this project'),
  data: dataFields,
  anchors: field(z.array(anchorFields).min(1), 'Networks to train, one after the other.', 'this project'),
  training: trainingFields.prefault({}),
  output: field(filePath(), 'Folder that receives the checkpoints.', 'this project'),
});

const rules: readonly Rule<z.output<typeof fields>>[] = [
  {
    needs: ['training.epochs', 'training.warmup_epochs'],
    at: ['training', 'warmup_epochs'],
    problem: ({ training: { epochs, warmup_epochs } }) =>
      warmup_epochs > epochs && `expected at most training.epochs (${epochs}), received ${warmup_epochs}`,
  },
  {
    needs: ['anchors', 'training.warmup_epochs'],
    at: ['anchors'],
    problem: ({ anchors, training: { warmup_epochs } }) => {
      const short = anchors.find(({ epochs = warmup_epochs }) => epochs < warmup_epochs);
      return (
        short !== undefined &&
        `expected no fewer epochs than training.warmup_epochs (${warmup_epochs}), received ${short.epochs} for ${short.name}`
      );
    },
  },
  {
    needs: ['training.augmentation.crop_scale'],
    at: ['training', 'augmentation', 'crop_scale'],
    problem: ({ training: { augmentation } }) =>
      augmentation.crop_scale[0] > augmentation.crop_scale[1] &&
      `expected the least share first, received [${augmentation.crop_scale.join(', ')}]`,
  },
];

/** Everything a pretraining file may say. Unknown keys are refused. */
export const pretrainingSchema = consistent(fields, rules);

/** A checked pretraining with all defaults filled in. */
export type Pretraining = DeepReadonly<z.output<typeof pretrainingSchema>>;
