/**
 * The merged weights of a stitch as a PyTorch state dict, in PyTorch's layouts. An anchor has timm's names. Another stitch
 * has them twice: `front.` before those of the first anchor (embedding, first blocks), `end.` before those of the last
 * one (remaining blocks, norm, head), and the linear layer between them is `stitch.weight`, `stitch.bias`. What leads
 * into a stage is left out of the block behind the layer. `docs/read_stitch.py` reads and runs such files.
 */
import { stat } from 'node:fs/promises';
import type { Precision } from '../../config/deployment-options.js';
import { writeSafetensors } from '../../models/pretrained/formats/safetensors.js';
import { normalisationMetadata } from '../../models/pretrained/published-input.js';
import { headRows, publishedFrom } from '../../models/weights.js';
import type { StateDict } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { type Description, describe, metadataOf } from './description.js';
import { refuseOtherName } from './file-name.js';
import type { StitchNetwork } from './trained-trial.js';

/** What a reader has to know of the part of a stitch that one anchor is; the names of its tensors begin with `prefix`. */
export interface StateDictSegment {
  readonly prefix: string;
  readonly family: string;
  readonly architecture: string;
  /** Attention heads, where the network has them. */
  readonly heads?: number;
  /** Names of its blocks in their order: `blocks.3`, `stages.1.blocks.0`. */
  readonly blocks: readonly string[];
}

export interface StitchStateDict {
  readonly tensors: StateDict;
  readonly segments: readonly StateDictSegment[];
}

export function stateDictOf({ stitch, architectures, weights, classes }: StitchNetwork): StitchStateDict {
  const tensors: StateDict = {};
  const last = stitch.path.length - 1;
  const segments = stitch.path.map(({ anchor, blocks: [from, to] }, index): StateDictSegment => {
    const architecture = architectures[anchor]!;
    const prefix = last === 0 ? '' : index === 0 ? 'front.' : 'end.';
    const rows = architecture.tensors.filter(({ place }) => {
      if (!('block' in place)) return place.part === 'embedding' ? index === 0 : index === last;
      const isInside = place.block >= from && place.block < to;
      return isInside && !(place.part === 'entry' && index > 0 && place.block === from);
    });
    const published = {
      ...publishedFrom(weights.path.anchors[anchor]!, rows),
      ...(index === last && publishedFrom(weights.head, headRows(architecture, classes.length))),
    };
    for (const [name, tensor] of Object.entries(published)) tensors[prefix + name] = tensor;
    const names = rows.flatMap(({ place, published: name }) =>
      place.part === 'block' ? [/^(stages\.\d+\.)?blocks\.\d+/.exec(name)![0]] : [],
    );
    const { heads } = architecture.variant as { readonly heads?: number };
    const { family, name } = architecture;
    return { prefix, family, architecture: name, ...(heads && { heads }), blocks: [...new Set(names)] };
  });
  if (stitch.stitchingLayer !== undefined) {
    const layer = publishedFrom(weights.path.layers[stitch.stitchingLayer]!, linearRows);
    for (const [name, tensor] of Object.entries(layer)) tensors[`stitch.${name}`] = tensor;
  }
  return { tensors, segments };
}

const linearRows = (['weight', 'bias'] as const).map((name) => ({
  path: name,
  published: name,
  shape: [],
  layout: name === 'weight' ? ('linear' as const) : ('same' as const),
  initial: { constant: 0 },
  place: { part: 'head' as const },
}));

export interface ExportedStateDict extends Description, Pick<StitchStateDict, 'segments'> {
  readonly file: string;
  readonly bytes: number;
  readonly precision: Precision;
}

/**
 * The metadata hold `segments` and what `describe` says of the network, each entry as JSON, and mean and std as whatever
 * reads pretrained weights looks for them.
 * @throws RequestError for int8, which PyTorch has no layers for, and for the name of another kind of file
 */
export async function exportStateDict(
  network: StitchNetwork,
  file: string,
  precision: Precision,
): Promise<ExportedStateDict> {
  if (precision === 'int8') {
    throw new RequestError(
      'a state dict has no int8 weights: its readers expect numbers, not codes',
      'Give --precision float16, or an ONNX file to --out.',
    );
  }
  refuseOtherName(file, '.safetensors');
  const { tensors, segments } = stateDictOf(network);
  const described = describe(network);
  const metadata = {
    ...metadataOf({ segments, ...described }),
    ...normalisationMetadata(described.preprocessing),
  };
  await writeSafetensors(file, tensors, { metadata, dtype: precision === 'float16' ? 'F16' : 'F32' });
  return { file, bytes: (await stat(file)).size, precision, segments, ...described };
}
