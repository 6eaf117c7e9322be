/** Loads pretrained networks of any family, from whoever published them. */
import type { Float32NdArray, StateDict } from '../../shared/arrays.js';
import type { Architecture } from '../architecture.js';
import { imageFamilyOf } from '../families.js';
import type { NetworkWeights } from '../family.js';
import type { Linear } from '../layers.js';
import { publishedShapes } from '../tensor-table.js';
import { headFrom, headRows, weightsFrom } from '../weights.js';
import { assemble, type LoadReport, type Needed, unusedNames } from './assemble.js';
import type { Flavour } from './flavour.js';
import type { Weights } from './formats/weights.js';
import { refuseOtherArchitectures, unknownArchitecture } from './other-architectures.js';
import { pretrainedHead } from './pretrained-head.js';
import { publishedInput } from './published-input.js';
import { openWeights } from './sources/source.js';
import { refuseWhatChangesLogits, unusedNote } from './unused.js';

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

/** What can be said of a checkpoint without its tensors. */
export type AboutCheckpoint = Pick<LoadReport, 'preprocessing' | 'assumed' | 'notes'>;

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
    return await stateDictFrom(source, weights, architecture, options);
  } finally {
    await weights.close();
  }
}

/**
 * What can be said of a checkpoint whose head is not used, without reading its tensors.
 * @throws RequestError as `loadNetwork`, but for missing tensors, wrong shapes and numbers that are not finite
 */
export async function inspectNetwork(source: string, architecture: Architecture): Promise<AboutCheckpoint> {
  const weights = await openWeights(source, architecture.name);
  try {
    const { sourceOf, resampled } = await recognised(weights, architecture);
    const names = Object.keys(publishedShapes(architecture.tensors));
    const unused = usableNames(weights, architecture, sourceOf, names, 'replaced');
    return await aboutInput(source, weights, architecture, [
      unusedNote(weights.location, unused, architecture.name),
      resampledNote(weights, resampled),
    ]);
  } finally {
    await weights.close();
  }
}

async function stateDictFrom(
  source: string,
  weights: Weights,
  architecture: Architecture,
  { classes }: LoadOptions,
): Promise<LoadedStateDict> {
  const { name: flavour, sourceOf, adapt, resampled } = await recognised(weights, architecture);
  const head = await pretrainedHead(weights, sourceOf, headNames(architecture), classes);
  const shapes = publishedShapes([
    ...architecture.tensors,
    ...(head.keptClasses === undefined ? [] : headRows(architecture, head.keptClasses)),
  ]);
  const unused = usableNames(weights, architecture, sourceOf, Object.keys(shapes), head.outcome);
  const needed = Object.entries(shapes).map(
    ([name, shape]): Needed => ({
      name,
      shape,
      source: sourceOf(name),
      adapt: (tensor) => adapt?.(tensor, name, shape) ?? tensor,
    }),
  );
  const tensors = await assemble(weights, needed, architecture.name);
  const about = await aboutInput(source, weights, architecture, [
    unusedNote(weights.location, unused, architecture.name),
    resampledNote(weights, resampled),
    emptyHeadNote(weights, architecture, tensors),
  ]);
  const { location } = weights;
  const report = { location, flavour, head: head.outcome, ...(resampled && { resampled }), unused, ...about };
  return { weights: tensors, report };
}

async function recognised(weights: Weights, architecture: Architecture): Promise<Flavour> {
  const family = imageFamilyOf(architecture);
  refuseOtherArchitectures(weights, family);
  const flavour = await family.published.flavourOf(weights, architecture);
  if (!flavour) throw unknownArchitecture(weights, family);
  return flavour;
}

/** The names that no tensor is made from, where leaving them out changes nothing; the head's are never among them. */
function usableNames(
  weights: Weights,
  architecture: Architecture,
  sourceOf: Flavour['sourceOf'],
  needed: readonly string[],
  head: LoadReport['head'],
): string[] {
  const sources = [...needed, ...headNames(architecture)].map(sourceOf);
  const unused = unusedNames(weights, sources);
  refuseWhatChangesLogits(weights, unused, sources, head, imageFamilyOf(architecture).title);
  return unused;
}

async function aboutInput(
  source: string,
  weights: Weights,
  architecture: Architecture,
  notes: readonly (string | undefined)[],
): Promise<AboutCheckpoint> {
  const input = await publishedInput(source, weights, architecture);
  return {
    ...input,
    notes: notes.filter((note) => note !== undefined),
  };
}

function headNames(architecture: Architecture): string[] {
  return headRows(architecture, architecture.classes).map(({ published }) => published);
}

/** Logits are then others than those that the network was published with. */
function resampledNote({ location }: Weights, resampled: Flavour['resampled']): string | undefined {
  if (!resampled) return undefined;
  const { from, to } = resampled;
  return `${location}: its position embedding of ${from} x ${from} patches is resampled to ${to} x ${to}: it was trained on images of another size`;
}

/** Some weights are published with a head that was never trained. */
function emptyHeadNote({ location }: Weights, architecture: Architecture, tensors: StateDict): string | undefined {
  const [weight] = headNames(architecture);
  const isEmpty = tensors[weight!]?.data.every((value) => value === 0);
  return isEmpty ? `${location}: its head (${weight}) is all zeros: it tells no classes apart` : undefined;
}
