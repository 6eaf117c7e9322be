/**
 * How images were prepared when published weights were evaluated. What lies beside the weights says it best: timm's
 * `config.json` (pretrained_cfg) or Hugging Face's `preprocessor_config.json`; else names may tell whose weights they are.
 */
import path from 'node:path';
import { z } from 'zod';
import { channelDeviations, channelMeans } from '../../config/schema/fields.js';
import type { Interpolation, Preprocessing } from '../../data/images/preprocessing.js';
import { RequestError } from '../../shared/errors.js';
import { exists, readJson } from '../../shared/files.js';

/** The files that tell it, beside weights; the first that does counts. */
export const preprocessingFiles = ['config.json', 'preprocessor_config.json'] as const;

/** timm/models/_pretrained.py, PretrainedCfg; fields that are left out have the values of timm/data/constants.py. */
const timmSchema = z.looseObject({
  mean: channelMeans(),
  std: channelDeviations(),
  crop_pct: z.number().positive().nullish(),
  crop_mode: z.string().nullish(),
  interpolation: z.string().nullish(),
});

const side = z.int().positive();

/** transformers/models/{vit,deit,convnext}/image_processing_*.py */
const transformersSchema = z.looseObject({
  image_mean: channelMeans(),
  image_std: channelDeviations(),
  do_normalize: z.literal(true).default(true),
  resample: z.int().nullish(),
  size: z.union([side, z.looseObject({ shortest_edge: side }), z.looseObject({ height: side, width: side })]).nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: z.union([side, z.looseObject({ height: side })]).nullish(),
  crop_pct: z.number().positive().nullish(),
});

/** timm's default, where a configuration names no share. */
const defaultCropShare = 0.875;

/** From this shorter edge on the processor of a ConvNeXt resizes the whole image and crops nothing. */
const uncroppedFrom = 384;

/** Pillow's numbers of the kernels that images are resized with here. */
const pillowKernels: Readonly<Record<number, Interpolation>> = { 2: 'bilinear', 3: 'bicubic' };

/**
 * What a file beside the weights says, for an input of the size of `known`; undefined where none says it.
 * @param known what is taken for what the file leaves out
 * @throws RequestError when a file says it with other values than these formats have
 */
export async function configuredPreprocessing(
  folder: string,
  known: Preprocessing,
): Promise<Preprocessing | undefined> {
  for (const name of preprocessingFiles) {
    const file = path.join(folder, name);
    if (!(await exists(file))) continue;
    const content = objectOf(await readJson(file)) ?? {};
    // Older files of timm have its fields on the outside.
    const fields = objectOf(content['pretrained_cfg']) ?? content;
    if ('mean' in fields && 'std' in fields) return timmPreprocessing(parsed(timmSchema, fields, file), known);
    if ('image_mean' in fields) return transformersPreprocessing(parsed(transformersSchema, fields, file), known);
  }
  return undefined;
}

/** undefined for anything else that JSON may hold. */
function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

function timmPreprocessing(
  { mean, std, crop_pct, crop_mode, interpolation }: z.infer<typeof timmSchema>,
  known: Preprocessing,
): Preprocessing {
  const size = Math.floor(known.crop / (crop_pct ?? defaultCropShare));
  const isKernel = interpolation === 'bilinear' || interpolation === 'bicubic';
  return {
    resize: { size, keepAspect: crop_mode !== 'squash' },
    crop: known.crop,
    interpolation: isKernel ? interpolation : known.interpolation,
    mean,
    std,
  };
}

function transformersPreprocessing(
  { image_mean, image_std, resample, size, do_center_crop, crop_size, crop_pct }: z.infer<typeof transformersSchema>,
  known: Preprocessing,
): Preprocessing {
  const crop = known.crop;
  const cropSize = typeof crop_size === 'object' ? crop_size?.height : crop_size;
  const shortest = typeof size === 'object' && size && 'shortest_edge' in size ? size.shortest_edge : undefined;
  const edge = Number(shortest ?? (typeof size === 'object' && size && 'height' in size ? size.height : size));
  let resize = { size: crop, keepAspect: false };
  // A ConvNeXt's processor enlarges the shorter edge itself, a ViT's resizes to `size` and crops where it is told to.
  if (crop_pct && !(edge >= uncroppedFrom)) resize = { size: Math.floor(crop / crop_pct), keepAspect: true };
  else if (!crop_pct && do_center_crop && cropSize) {
    resize = { size: Math.round((crop * (edge || cropSize)) / cropSize), keepAspect: shortest !== undefined };
  }
  const interpolation = pillowKernels[resample ?? -1] ?? known.interpolation;
  return { resize, crop, interpolation, mean: image_mean, std: image_std };
}

function parsed<Output>(schema: z.ZodType<Output>, fields: unknown, file: string): Output {
  const { success, data, error } = schema.safeParse(fields);
  if (success) return data;
  const [issue] = error.issues;
  throw new RequestError(
    `${file}: ${issue!.path.join('.')}: ${issue!.message}`,
    'It says how images are normalised: correct it, or remove it and set mean and std by hand.',
  );
}
