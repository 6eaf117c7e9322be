/** The pretraining file: a family of anchors, trained on a folder of images or on plain text. */
import { z } from 'zod';
import { consistent, distinct, type Rule } from './consistency.js';
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

const imageFields = z.strictObject({
  kind: z.literal('image-folder'),
  root: field(filePath(), 'Folder with one folder of images for each class.', 'this project'),
  image_size: field(count().default(64), 'Side of the square images in pixels.', 'Tiny ImageNet'),
});

const textFields = z.strictObject({
  kind: z.literal('plain-text'),
  root: field(filePath(), 'A .txt file of UTF-8, or a folder that holds some.', 'this project'),
  length: field(count().min(8).default(128), 'Tokens of a sequence.', 'this project'),
  validation_fraction: field(
    fraction().gt(0).max(0.5).default(0.02),
    'Share of the sequences that the loss is validated on.',
    'this project',
  ),
});

const anchorFields = z.strictObject({
  name: field(
    identifier(),
    'Name in logs and --set paths; the written checkpoint has that of the architecture.',
    'this project',
  ),
  architecture: field(z.string().min(1), 'Architecture, as the models folder names it.', 'this project'),
  checkpoint: field(
    z.string().min(1).optional(),
    'Weights that training goes on from: embedded, hf-hub:OWNER/NAME, or a .safetensors file; a head of other classes is drawn anew. Of images only; left out: weights drawn by the seed.',
    'this project; warm restarts of SGDR (Loshchilov and Hutter 2017)',
  ),
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

const togetherFields = z.strictObject({
  steps: field(
    count().default(1),
    'Steps of one program: what is trained goes to the device and back once for all of them.',
    'this project; steps_per_execution of Keras',
  ),
  distillation: field(
    fraction().default(0),
    'Share of the targets of the smaller anchors that the probabilities of the largest make up, from the same view.',
    'Deep Mutual Learning (Zhang et al. 2018), from the largest alone',
  ),
  clip_norm: field(
    positive().default(1),
    'Largest length of the gradient of an anchor; longer ones are shortened.',
    'Better plain ViT baselines (Beyer et al. 2022)',
  ),
});

const trainingFields = z.strictObject({
  epochs: field(count().default(60), 'Passes over the training images or sequences.', 'our choice'),
  warmup_epochs: field(countOrZero().default(5), 'Epochs in which the learning rate rises from 0.', 'DeiT'),
  batch_size: field(count().default(128), 'Images, or sequences, of a step.', 'our choice'),
  learning_rate: field(positive().default(1e-3), 'Peak learning rate of AdamW, cosine schedule.', 'our choice'),
  weight_decay: field(nonNegative().default(0.05), 'Decoupled weight decay of matrices.', 'DeiT'),
  label_smoothing: field(
    fraction().default(0.1),
    'Share of the target spread over all classes; of images only, as all below.',
    'DeiT',
  ),
  mixup: field(nonNegative().default(0.2), 'alpha of mixup; 0 turns it off.', 'our choice: DeiT takes 0.8'),
  patch_dropout: field(
    fraction().default(0),
    'Share of the patches that a step of a vision transformer leaves out; the last fifth of the epochs sees all.',
    'PatchDropout (Liu et al. 2023): nearly the same accuracy for nearly half the computation at 0.5',
  ),
  augmentation: augmentationFields.prefault({}),
  together: field(
    togetherFields.optional(),
    'All anchors learn in the same steps, from the same views, which are made on the device; left out: one anchor after the other.',
    'this project: for GPUs, which one small network leaves idle',
  ),
});

const fields = z.strictObject({
  name: field(identifier(), 'Name of the pretraining, for people.', 'this project'),
  seed: field(countOrZero().default(0), 'Seed of weights, order and augmentation.', 'this project'),
  data: field(
    z.discriminatedUnion('kind', [imageFields, textFields]),
    'Images for networks that read images, text for language models.',
    'this project',
  ),
  anchors: field(
    z.array(anchorFields).min(1),
    'Networks to train, one after the other, or all in the same steps (training.together).',
    'this project',
  ),
  training: trainingFields.prefault({}),
  output: field(filePath(), 'Folder that receives the checkpoints.', 'this project'),
});

const rules: readonly Rule<z.output<typeof fields>>[] = [
  distinct('anchors', 'anchor', ({ anchors }) => anchors.map(({ name }) => name)),
  // Their checkpoints would be one file.
  distinct('anchors', 'architecture', ({ anchors }) => anchors.map(({ architecture }) => architecture)),
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
  {
    needs: ['anchors', 'training.together'],
    at: ['anchors'],
    problem: ({ anchors, training: { together } }) => {
      const own = together && anchors.find(({ epochs }) => epochs !== undefined);
      return own && `expected no epochs of an anchor where all learn together, received ${own.epochs} for ${own.name}`;
    },
  },
  {
    needs: ['anchors', 'training.together'],
    at: ['training', 'together', 'distillation'],
    problem: ({ anchors, training: { together } }) =>
      (together?.distillation ?? 0) > 0 &&
      anchors.length === 1 &&
      'expected 0 for one anchor: none is larger to teach it',
  },
  {
    needs: ['data', 'anchors'],
    at: ['anchors'],
    problem: ({ data, anchors }) => {
      const started = data.kind === 'plain-text' && anchors.find(({ checkpoint }) => checkpoint !== undefined);
      return (
        started && `expected no checkpoint of an anchor for text, received ${started.checkpoint} for ${started.name}`
      );
    },
  },
  {
    needs: ['data', 'training.together'],
    at: ['training', 'together'],
    problem: ({ data, training: { together } }) => together && data.kind === 'plain-text' && 'expected none for text',
  },
];

/** Everything a pretraining file may say. Unknown keys are refused. */
export const pretrainingSchema = consistent(fields, rules);

/** A checked pretraining with all defaults filled in. */
export type Pretraining = DeepReadonly<z.output<typeof pretrainingSchema>>;

/** One of a family of networks that read images. */
export type ImagePretraining = Pretraining & { readonly data: { readonly kind: 'image-folder' } };
/** One of a family of language models. */
export type TextPretraining = Pretraining & { readonly data: { readonly kind: 'plain-text' } };

export function isTextPretraining(pretraining: Pretraining): pretraining is TextPretraining {
  return pretraining.data.kind === 'plain-text';
}
