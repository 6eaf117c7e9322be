/** What experiments on text have beside the sections that they share with experiments on images. */
import { z } from 'zod';
import { count, countOrZero, type DeepReadonly, field, filePath, fraction, identifier, positive } from './fields.js';

const name = () =>
  field(identifier(), 'Name in trial folders, tables and --set paths; left out: the kind.', 'this project');

/** Instructions that a user has. */
export const instructionsSchema = z.strictObject({
  kind: z.literal('instructions'),
  name: name(),
  file: field(
    filePath(),
    'Instructions in the form of Alpaca: a .json list, or .jsonl with an object (instruction, input, output) on each line.',
    'Stanford Alpaca; Stitched LLaMA',
  ),
  validation_texts: field(count().default(2000), 'Texts that are held out to validate on.', 'alpaca-lora'),
  test_texts: field(
    countOrZero().default(0),
    'Further texts that are held out: the deployed stitches are tested on them, and nothing is chosen by them. 0: none.',
    'this project',
  ),
  validation_seed: field(countOrZero().default(42), 'Seed of the draw of both.', 'alpaca-lora'),
});

/** Instructions that the program makes up, as it draws species. */
export const wordTasksSchema = z.strictObject({
  kind: z.literal('word-tasks'),
  name: name(),
  train_texts: field(count().max(100_000).default(2000), 'Instructions to train on.', 'this project'),
  validation_texts: field(
    count().max(100_000).default(200),
    'Instructions to validate on; none of them is trained on.',
    'this project',
  ),
  test_texts: field(
    countOrZero().max(100_000).default(0),
    'Further instructions that the deployed stitches are tested on, and nothing is chosen by. 0: none.',
    'this project',
  ),
  seed: field(
    countOrZero().default(0),
    'Seed of the tasks; the seeds of the trials do not change them.',
    'this project',
  ),
});

export const textKinds = ['instructions', 'word-tasks'] as const;

/** Linear layers of a LLaMA block, as PEFT names them. */
const targetNames = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;

export const textSchema = z.strictObject({
  cutoff: field(
    count().default(256),
    'Tokens of a text at most; what is longer is cut off. FLOPs are counted for so many.',
    'alpaca-lora: 256, and 512 for the published adapter',
  ),
  train_on_inputs: field(
    z.boolean().default(true),
    'Whether the instruction is learned too, and not the answer alone; losses are of what is learned.',
    'alpaca-lora',
  ),
  group_by_length: field(
    z.boolean().default(false),
    'Whether texts of similar length come together, so that there is little padding.',
    'alpaca-lora: false, and true for the published adapter',
  ),
  length_multiple: field(
    count().default(8),
    'Lengths are padded to a multiple of it; a program is compiled for each, so that larger ones mean fewer programs.',
    'alpaca-lora: 8',
  ),
  micro_batch_size: field(
    count().default(4),
    'Texts that are computed at once; gradients are summed up to training.batch_size. It changes no more than rounding and the weight of short texts.',
    'alpaca-lora',
  ),
  targets: field(
    z.array(z.enum(targetNames)).min(1).default(['q_proj', 'v_proj']),
    'Linear layers of each block that have low-rank updates and stitch-specific biases.',
    'alpaca-lora: query and value; q, k, v and o for the published adapter',
  ),
  alpha: field(
    positive().default(16),
    'Low-rank updates of blocks are scaled by alpha / rank.',
    'alpaca-lora: 16, with rank 8 or 16',
  ),
  dropout: field(
    fraction().default(0),
    'Share of the inputs of low-rank updates that a training step drops.',
    'our choice: none; alpaca-lora: 0.05',
  ),
  clip_norm: field(
    positive().default(1),
    'Gradients of a step are scaled down to this norm where they are longer.',
    'transformers, which alpaca-lora trains with: 1',
  ),
  decay: field(
    z.enum(['linear', 'cosine']).default('linear'),
    'How the learning rate falls to 0 after the warm-up.',
    'transformers, which alpaca-lora trains with: linear',
  ),
  warmup_steps: field(
    countOrZero().optional(),
    'Steps in which the learning rate rises from 0; left out: training.warmup_epochs.',
    'alpaca-lora: 100',
  ),
  weights: field(
    z.enum(['8bit', 'float32']).default('8bit'),
    'How the frozen linear layers of the anchors are kept and multiplied.',
    'supplement A: 8-bit matrix multiplication for the frozen weights',
  ),
});

export type TextConfig = DeepReadonly<z.output<typeof textSchema>>;
