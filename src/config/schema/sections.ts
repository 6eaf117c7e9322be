/** The recipe: how a palette is stitched, adapted, sampled, distilled, trained and evaluated. */
import { z } from 'zod';
import { precisions } from '../../shared/engine-names.js';
import {
  channelDeviations,
  channelMeans,
  count,
  countOrZero,
  field,
  fraction,
  identifier,
  nonNegative,
  positive,
} from './fields.js';

export const preprocessingSchema = z.strictObject({
  resize: field(
    count().optional(),
    'Side in pixels to which images are resized first; left out: crop x 256 / 224, rounded.',
    'VPT resizes to 256 for crops of 224',
  ),
  crop: field(
    count().optional(),
    'Side in pixels of the crop: random in training, central in evaluation; left out: the image size of the anchors.',
    'supplement A: random crop to 224 x 224',
  ),
  keep_aspect: field(
    z.boolean().default(true),
    'true resizes the shorter edge, false squeezes the image into a square (VTAB-1k).',
    'VPT keeps the aspect for FGVC; supplement A resizes VTAB-1k to 224 x 224',
  ),
  interpolation: field(z.enum(['bicubic', 'bilinear']).default('bicubic'), 'Kernel of the resize.', 'timm (augreg)'),
  flip: field(z.boolean().default(true), 'Random horizontal flip in training.', 'supplement A'),
  mean: field(
    channelMeans().optional(),
    'Mean of each channel, of values in [0, 1]; left out: what the anchors were pretrained with.',
    'timm: 0.5, 0.5, 0.5 for augreg weights; VPT and SPT use ImageNet values instead',
  ),
  std: field(
    channelDeviations().optional(),
    'Deviation of each channel, of values in [0, 1]; left out: what the anchors were pretrained with.',
    'timm: 0.5, 0.5, 0.5 for augreg weights; VPT and SPT use ImageNet values instead',
  ),
});

export const stitchingSchema = z.strictObject({
  kernel: field(
    count().default(2),
    'Blocks in the sliding window of nearest stitching, of anchors, or stages of them, of equal depth.',
    'SN-Net',
  ),
  stride: field(count().default(1), 'Blocks by which the window slides.', 'SN-Net'),
  fit_images: field(
    count().default(100),
    'Training images, or texts, whose features give the least-squares start of the stitching layers.',
    'SN-Net',
  ),
});

/** No network here is wider: a larger rank has no use, and takes memory without end. */
const rank = () => countOrZero().max(16384);

export const adaptationSchema = z.strictObject({
  ranks: field(
    z.array(rank()),
    'Rank of the low-rank updates in the blocks (query, key and value; fc1, fc2 and the downsamplings of a ConvNeXt), one for each anchor in order; 0: none.',
    'Table I: 32, 16, 8 for FGVC (decoded from its FLOPs), 2, 8, 8 for CIFAR-100',
  ),
  stitching_layer_rank: field(
    rank().default(96),
    'Rank of the low-rank update of the stitching layers; 0: none.',
    'Table I: 96 for FGVC, 192 for CIFAR-100 (decoded from its FLOPs)',
  ),
  stitch_bias: field(
    z.boolean().default(true),
    'Every stitch owns bias terms b_n beside the shared low-rank updates.',
    'ESTA, parameter-efficient stitch fine-tuning',
  ),
});

export const samplingSchema = z.strictObject({
  strategy: field(
    z.enum(['task-specific', 'uniform']).default('task-specific'),
    'How the stitch of a training step is drawn: by FLOPs bin and importance score, or uniformly.',
    'ESTA; SN-Net is uniform',
  ),
  stitches_per_step: field(
    count().default(1),
    'Different stitches that learn on each batch from one pass of the largest anchor, one after another; above 1 the anchor learns in every step and is not drawn. SN-Net keeps 1.',
    'ESTA: 1; several: the sandwich rule of BigNAS and OFA',
  ),
  sandwich: field(
    z.boolean().default(false),
    'Whether the stitch of least FLOPs, normally the smallest anchor, is one of the stitches of every step; needs stitches_per_step above 1. SN-Net and anchors alone do without.',
    'our choice: none in ESTA; the sandwich rule of BigNAS and OFA',
  ),
  warmup_epochs: field(
    countOrZero().optional(),
    'Epochs of uniform sampling before importance scores count; left out: a tenth of training.epochs, rounded: none of fewer than five.',
    'our choice: as long as the learning-rate warm-up ("a short warm-up", no number published)',
  ),
  eta: field(fraction().default(0.9), 'Momentum of the importance scores.', 'supplement E'),
  bins: field(
    count().max(10_000).default(14),
    'FLOPs bins of equal width, of language models bins of parameters; the best stitch of each is deployed, beside the largest anchor.',
    'Table I (decoded from its FLOPs)',
  ),
  bin_edges: field(
    z.tuple([countOrZero(), countOrZero()]).optional(),
    'Ids of the stitches whose FLOPs are the low edges of the first and of the last bin, as `esta stitches` lists them; left out: bins from the cheapest to the dearest stitch below the largest anchor.',
    'our choice; [31, 42] for ViT-Ti/S/B are the bins of Table I (decoded from its FLOPs)',
  ),
  temperature: field(
    positive().default(1),
    'Temperature of the softmax over the importance scores of a bin, after they are scaled to deviation 1.',
    'our choice: no number published',
  ),
});

export const distillationSchema = z.strictObject({
  enabled: field(z.boolean().default(true), "Sampled stitches learn from the largest anchor's prediction.", 'ESTA'),
  temperature: field(positive().default(1), 'Temperature of both softmaxes.', 'our choice: no number published'),
  weight: field(nonNegative().default(1), 'Weight of the distillation loss.', 'our choice: no number published'),
});

export const trainingSchema = z.strictObject({
  epochs: field(count().default(100), 'Passes over the training images.', 'supplement A'),
  anchor_epochs: field(
    count().optional(),
    'Passes over the training images for each anchor that a method adapts alone; left out: training.epochs.',
    'supplement F: 300 epochs for three anchors, then 100 for the stitched network',
  ),
  warmup_epochs: field(
    countOrZero().optional(),
    'Epochs in which the learning rate rises from 0; left out: a tenth of training.epochs.',
    'supplement A: 10 of 100 epochs',
  ),
  batch_size: field(count().default(64), 'Images, or texts, of a step.', 'VPT, which supplement A follows'),
  base_learning_rates: field(
    z.array(positive()).min(1).default([1e-4, 2e-4, 1e-3, 2e-3]),
    'Grid of base learning rates, chosen on the validation images; one value: no grid. Learning rate = base x batch size / 256.',
    'supplement A',
  ),
  grid_epochs: field(
    count().optional(),
    'Epochs of each run of the grid, never more than training.epochs; left out: as many.',
    'supplement A searches with full runs',
  ),
  patch_dropout: field(
    fraction().default(0),
    'Share of the patches that a step of vision transformers leaves out; the last fifth of the epochs sees all.',
    'our choice: none, as in the paper; PatchDropout (Liu et al. 2023) trains more steps in the same time',
  ),
  weight_decay: field(nonNegative().default(1e-4), 'Decoupled weight decay of AdamW.', 'supplement A'),
  final_on: field(
    z.enum(['train', 'train+validation']).default('train'),
    'Images of the final run, once the learning rate is chosen.',
    'VPT: train for FGVC, train and validation for VTAB-1k',
  ),
  precision: field(
    z.enum(precisions).optional(),
    'What matrix products are computed in: float32; tf32, 10 bits of mantissa on an NVIDIA card; mixed, bfloat16 products there, with float32 for all that is trained, summed and normalised. Left out: tf32 with CUDA where the card has it, else float32; results record it.',
    'this project; PyTorch offers the same three',
  ),
  checkpoint_minutes: field(
    positive().default(5),
    'Minutes between checkpoints, from which a run goes on.',
    'this project',
  ),
});

const gradientAnglesSchema = z.strictObject({
  stitches: field(
    count().min(2).default(32),
    'Stitches whose gradients are compared pair by pair, drawn for the seed of the trial from those between the two smallest anchors; all of them where there are fewer.',
    'supplement F, Figure F: 32 stitches of ViT-Ti and ViT-S',
  ),
  at: field(
    z.number().min(0).max(1).default(0.1),
    'Share of the epochs of the stitched network after which they are compared, rounded to an epoch; 0: before the first step.',
    'our choice: the end of the warm-up, when heads have learned and all stitches were sampled alike',
  ),
  batches: field(
    count().default(1),
    'Training batches that gradients are taken of, each for all stitches, with the labels.',
    'our choice: no number published',
  ),
  source: field(
    z.array(identifier()).default([]),
    'Names of the data sets that the anchors were pretrained with; the others are downstream.',
    'supplement F, Figure F: ImageNet-1k',
  ),
});

export const evaluationSchema = z.strictObject({
  batch_size: field(count().default(64), 'Images, or texts, of an evaluation step.', 'this project'),
  test_at: field(
    z.array(positive().lt(1)).default([]),
    'Shares of the epochs of the stitched network after which what would be deployed then is tested, as it is at the end; only recorded, nothing is chosen by it.',
    'supplement F, Figure C: 0.25, 0.5, 0.75',
  ),
  deploy_by: field(
    z.enum(['importance', 'validation']).optional(),
    'How the deployed stitch of a FLOPs bin is chosen: the highest importance score, or the highest accuracy on the validation images, for which all stitches are evaluated; left out: as the method does, sn-net by validation, the others by importance.',
    'one-stage deployment of ESTA; SN-Net evaluates',
  ),
  deploy_anchors: field(
    z.boolean().optional(),
    'Deploys the smaller anchors, too: an anchor is deployed for its FLOPs bin even where a stitch there scores higher; of several anchors in a bin the one with the highest score. Left out: false.',
    'our choice: the paper deploys the largest anchor always, the others where their scores are best',
  ),
  leave_out_beaten: field(
    z.boolean().optional(),
    'Deploys nothing for a bin whose stitch a cheaper one that is deployed beats on the validation images: is right more often by more than two standard errors of the difference. The largest anchor stays, and with deploy_anchors the others, too. Left out: false.',
    'our choice: the paper deploys a stitch of each bin',
  ),
  gradient_angles: field(
    gradientAnglesSchema.optional(),
    'Angles between the gradients that stitches have for the weights they share ({}: with the defaults); left out: not measured.',
    'supplement F, Figure F',
  ),
});
