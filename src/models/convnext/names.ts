/**
 * The names under which ConvNeXts are published, and how timm's tensors are made from them: timm
 * (timm/models/convnext.py), the authors' (facebookresearch/ConvNeXt, models/convnext.py) and Hugging Face transformers
 * (models/convnext/convert_convnext_to_pytorch.py). All have torch's layouts.
 */
import type { TensorSource } from '../pretrained/flavour.js';
import type { Weights } from '../pretrained/formats/weights.js';
import { countBlocks, prefixBefore, wrappers } from '../pretrained/names.js';
import { transformersName } from '../pretrained/transformers-config.js';

export interface ConvNeXtNaming {
  readonly name: string;
  /** Blocks of each stage in the file. */
  readonly depths: readonly number[];
  /** How a tensor of timm's is made. */
  readonly sourceOf: (timmName: string) => TensorSource;
}

/** Whose names these are; undefined when they are nobody's. */
export function convNeXtNamingOf(weights: Pick<Weights, 'names' | 'location'>): ConvNeXtNaming | undefined {
  const { names } = weights;
  for (const { name, sign, rename, blocks } of namings) {
    const prefix = prefixBefore(weights, sign);
    if (prefix === undefined) continue;
    const depths = [0, 1, 2, 3].map((stage) => countBlocks(names, prefix + blocks(stage)));
    return { name, depths, sourceOf: (timmName) => ({ from: [rename(timmName, prefix)] }) };
  }
  return undefined;
}

interface Naming {
  readonly name: string;
  /** The weight of the first convolution; group 1 is the prefix of all names. */
  readonly sign: RegExp;
  readonly rename: (timmName: string, prefix: string) => string;
  /** What stands before the number of a block. */
  readonly blocks: (stage: number) => string;
}

const namings: readonly Naming[] = [
  {
    name: 'timm',
    sign: new RegExp(`^(${wrappers})stem\\.0\\.weight$`),
    rename: (timmName, prefix) => prefix + timmName,
    blocks: (stage) => `stages.${stage}.blocks.`,
  },
  {
    name: 'ConvNeXt authors',
    sign: new RegExp(`^(${wrappers})downsample_layers\\.0\\.0\\.weight$`),
    rename: (timmName, prefix) => prefix + renamed(timmName, authorsNames),
    blocks: (stage) => `stages.${stage}.`,
  },
  {
    name: transformersName,
    sign: new RegExp(`^(${wrappers}(?:convnext\\.)?)embeddings\\.patch_embeddings\\.weight$`),
    // The classifier lies beside the backbone, inside the same wrappers.
    rename: (timmName, prefix) =>
      timmName.startsWith('head.fc.')
        ? prefix.replace(/convnext\.$/, '') + timmName.replace('head.fc', 'classifier')
        : prefix + renamed(timmName, transformersNames),
    blocks: (stage) => `encoder.stages.${stage}.layers.`,
  },
];

type Renaming = readonly (readonly [pattern: RegExp, replacement: string])[];

const authorsNames: Renaming = [
  [/^stem\./, 'downsample_layers.0.'],
  [/^stages\.(\d+)\.downsample\./, 'downsample_layers.$1.'],
  [/^stages\.(\d+)\.blocks\./, 'stages.$1.'],
  [/\.conv_dw\./, '.dwconv.'],
  [/\.mlp\.fc/, '.pwconv'],
  [/^head\.norm\./, 'norm.'],
  [/^head\.fc\./, 'head.'],
];

const transformersNames: Renaming = [
  [/^stem\.0\./, 'embeddings.patch_embeddings.'],
  [/^stem\.1\./, 'embeddings.layernorm.'],
  [/^stages\.(\d+)\.downsample\./, 'encoder.stages.$1.downsampling_layer.'],
  [/^stages\.(\d+)\.blocks\.(\d+)\.norm\./, 'encoder.stages.$1.layers.$2.layernorm.'],
  [/^stages\.(\d+)\.blocks\./, 'encoder.stages.$1.layers.'],
  [/\.conv_dw\./, '.dwconv.'],
  [/\.mlp\.fc/, '.pwconv'],
  [/\.gamma$/, '.layer_scale_parameter'],
  [/^head\.norm\./, 'layernorm.'],
];

function renamed(timmName: string, renaming: Renaming): string {
  return renaming.reduce((name, [pattern, replacement]) => name.replace(pattern, replacement), timmName);
}
