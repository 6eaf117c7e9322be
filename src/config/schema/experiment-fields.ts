/** The fields of an experiment file: one claim of the paper, or a question of your own, as a typed document. */
import { z } from 'zod';
import { dataSchema } from './dataset.js';
import { countOrZero, field, identifier } from './fields.js';
import { launcherSchema } from './launcher.js';
import {
  adaptationSchema,
  distillationSchema,
  evaluationSchema,
  preprocessingSchema,
  samplingSchema,
  stitchingSchema,
  trainingSchema,
} from './sections.js';
import { textSchema } from './text.js';

/** Methods that an experiment can compare; src/experiment/method.ts describes them. */
const methods = [
  'esta',
  'sn-net',
  'anchor-lora',
  'naive-lora',
  'ss-lora',
  'adapt-then-stitch',
  'adapt-then-sn-net',
] as const;

/** Whether a method trains as SN-Net does: all weights, without importance scores; so it deploys by accuracy. */
export function trainsAllWeights(method: string): boolean {
  return method === 'sn-net' || method === 'adapt-then-sn-net';
}

/** Whether what a method stitches are anchors that were adapted alone before. */
export function stitchesAdaptedAnchors(method: string): boolean {
  return method === 'adapt-then-stitch' || method === 'adapt-then-sn-net';
}

const anchorSchema = z.strictObject({
  name: field(identifier(), 'Short name in tables and --set paths: Ti, S, B.', 'this project'),
  architecture: field(
    z.string().min(1),
    'Architecture, as timm names it: vit_tiny_patch16_224; of language models llama_7b and others, or llama: what config.json in the folder of the checkpoint says.',
    'timm',
  ),
  checkpoint: field(
    z.string().min(1).default('embedded'),
    'Pretrained weights: embedded, hf-hub:OWNER/NAME (with @REVISION), a .safetensors or .npz file, the .safetensors.index.json of several, or a folder with one of them; of a language model its folder in the layout of Hugging Face.',
    'this project',
  ),
});

/** The fields of an experiment file, before the rules between them and the derived defaults. */
export const experimentFields = z.strictObject({
  name: field(identifier(), 'Name of the experiment and of its run folder.', 'this project'),
  claim: field(z.string().optional(), 'What the experiment is expected to show.', 'this project'),
  seeds: field(
    z.array(countOrZero()).min(1).default([0]),
    'One trial is run for each seed, data set and method.',
    'our choice: the supplement reports single numbers',
  ),
  anchors: field(z.array(anchorSchema).min(2), 'Pretrained networks, from the smallest to the largest.', 'SN-Net'),
  data: dataSchema,
  methods: field(
    z.array(z.enum(methods)).min(1).default(['esta']),
    'How palettes are trained: esta, sn-net (all weights, uniform sampling, all stitches evaluated), anchor-lora (each anchor alone), naive-lora (no stitch bias), ss-lora (low-rank updates for each stitch), adapt-then-stitch (anchors alone first, then esta), adapt-then-sn-net (anchors alone first, then sn-net).',
    'ESTA and what its supplement compares it with',
  ),
  preprocessing: field(preprocessingSchema.prefault({}), 'From image file to network input.', 'supplement A'),
  stitching: field(
    stitchingSchema.prefault({}),
    'Which stitches there are, and how their stitching layers start.',
    'SN-Net',
  ),
  adaptation: field(adaptationSchema, 'What is trained beside the frozen anchors.', 'ESTA'),
  sampling: field(samplingSchema.prefault({}), 'Which stitch is trained in a step, and which are deployed.', 'ESTA'),
  distillation: field(distillationSchema.prefault({}), 'In-place distillation from the largest anchor.', 'ESTA'),
  training: field(trainingSchema.prefault({}), 'Optimizer, schedule, learning-rate grid.', 'supplement A'),
  evaluation: field(evaluationSchema.prefault({}), 'How accuracy is measured.', 'this project'),
  launcher: field(
    launcherSchema.optional(),
    'What `--launcher slurm` asks of the cluster; left out, and below it: the profile of the user, ~/.config/esta/launcher.yaml.',
    'this project',
  ),
  text: field(
    textSchema.optional(),
    'Of experiments on text alone; left out there: the defaults.',
    'supplement I: instruction following',
  ),
});
export type ExperimentFields = z.output<typeof experimentFields>;
