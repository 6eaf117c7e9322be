/** Loads pretrained networks of any family, from whoever published them. */
import type { Float32NdArray, StateDict } from '../../shared/arrays.js';
import type { Architecture } from '../architecture.js';
import { familyOf } from '../families.js';
import type { NetworkWeights } from '../family.js';
import type { Linear } from '../layers.js';
import { publishedShapes } from '../tensor-table.js';
import { headFrom, headRows, weightsFrom } from '../weights.js';
import { assemble, type LoadReport, type Needed, unusedNames } from './assemble.js';
import type { Weights } from './formats/weights.js';
import { refuseOtherArchitectures, unknownArchitecture } from './other-architectures.js';
import { pretrainedHead } from './pretrained-head.js';
import { openWeights } from './sources/source.js';

export interface LoadedNetwork {
  readonly weights: NetworkWeights<Float32NdArray>;
  /** The pretrained classifier, where the report says 'kept'. */
  readonly head: Linear<Float32NdArray> | undefined;
  readonly report: LoadReport;
}

export interface LoadedStateDict {
  /** timm's names and layouts; the head's are there when the report says 'kept'. */
  readonly weights: StateDict;
  readonly report: LoadReport;
}

export interface LoadOptions {
  /** Classes of the task: a pretrained head of another size is left out. Default: any head is kept. */
  readonly classes?: number;
}

/**
 * The tree that the network computes with.
 * @param source `embedded`, `hf-hub:OWNER/NAME[@REVISION]`, a folder, or a .safetensors or .npz file
 * @throws RequestError that says what the file holds instead
 */
export async function loadNetwork(
  source: string,
  architecture: Architecture,
  options: LoadOptions = {},
): Promise<LoadedNetwork> {
  const { weights, report } = await loadStateDict(source, architecture, options);
  return { weights: weightsFrom(weights, architecture), head: headFrom(weights, architecture), report };
}

/** All tensors of an architecture; parameters and errors as `loadNetwork`'s. */
export async function loadStateDict(
  source: string,
  architecture: Architecture,
  options: LoadOptions = {},
): Promise<LoadedStateDict> {
  const weights = await openWeights(source, architecture.name);
  try {
    return await stateDictFrom(weights, architecture, options);
  } finally {
    await weights.close();
  }
}

async function stateDictFrom(
  weights: Weights,
  architecture: Architecture,
  { classes }: LoadOptions,
): Promise<LoadedStateDict> {
  const family = familyOf(architecture);
  refuseOtherArchitectures(weights, family);
  const flavour = await family.published.flavourOf(weights, architecture);
  if (!flavour) throw unknownArchitecture(weights, family);
  const { sourceOf, adapt, resampled } = flavour;

  const headNames = headRows(architecture, architecture.classes).map(({ published }) => published);
  const head = await pretrainedHead(weights, sourceOf, headNames, classes);
  const shapes = publishedShapes([
    ...architecture.tensors,
    ...(head.keptClasses === undefined ? [] : headRows(architecture, head.keptClasses)),
  ]);
  const needed = Object.entries(shapes).map(
    ([name, shape]): Needed => ({
      name,
      shape,
      source: sourceOf(name),
      adapt: (tensor) => adapt?.(tensor, name, shape) ?? tensor,
    }),
  );
  const tensors = await assemble(weights, needed, architecture.name);

  const known = [...Object.keys(shapes), ...headNames].map(sourceOf);
  const report: LoadReport = {
    location: weights.location,
    flavour: flavour.name,
    head: head.outcome,
    ...(resampled && { resampled }),
    unused: unusedNames(weights, known),
  };
  return { weights: tensors, report };
}
