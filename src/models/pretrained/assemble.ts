/** Makes the tensors a network needs, under timm's names, from tensors as they lie in a file. */
import type { Preprocessing } from '../../data/images/preprocessing.js';
import type { Float32NdArray, StateDict } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { distinct } from '../../shared/groups.js';
import type { TensorSource } from './flavour.js';
import type { Weights } from './formats/weights.js';
import { listed } from './names.js';

export interface Needed {
  /** timm's name. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly source: TensorSource;
  /** What is done to the tensor before its shape is checked, such as resampling. */
  readonly adapt?: (tensor: Float32NdArray) => Float32NdArray;
}

/** What a loader found out, for the log of a run. */
export interface LoadReport {
  readonly location: string;
  /** Whose names the file uses: "timm", "Hugging Face transformers", ... */
  readonly flavour: string;
  /** The pretrained classifier: kept, replaced because the number of classes differs, or absent from the file. */
  readonly head: 'kept' | 'replaced' | 'absent';
  /** Sides of the grids of patches, when the position embedding was resampled. */
  readonly resampled?: { readonly from: number; readonly to: number };
  /** Names in the file that the network has no place for; they do not change its logits. */
  readonly unused: readonly string[];
  /** How images were prepared when the weights were evaluated; left out for networks that read no images. */
  readonly preprocessing?: Preprocessing;
  /** What is assumed of the preprocessing, where nothing tells, as a sentence. */
  readonly assumed?: string;
  /** What else a user should know, a sentence each: what is not used, a head of zeros. */
  readonly notes: readonly string[];
}

/** Names are listed in a message up to this many. */
const mostListed = 20;

/** Reads and makes everything that is needed; a missing name, another shape or a number that is not finite is refused. */
export async function assemble(weights: Weights, needed: readonly Needed[], network: string): Promise<StateDict> {
  const tensors: StateDict = {};
  for await (const [item, tensor] of assembleEach(weights, needed, network)) tensors[item.name] = tensor;
  return tensors;
}

/** The same one by one, so that a caller that keeps tensors in another form never holds two of them. */
export async function* assembleEach<Item extends Needed>(
  weights: Weights,
  needed: readonly Item[],
  network: string,
): AsyncGenerator<readonly [Item, Float32NdArray]> {
  requireNames(weights, needed, network);
  for (const item of needed) {
    const tensor = await prepare(weights, item);
    requireShape(weights, item, tensor, network);
    requireFinite(weights, item, tensor);
    yield [item, tensor];
  }
}

/** One tensor as its source makes it (then adapted, if asked for); its shape is not compared with anything yet. */
export async function prepare(
  weights: Weights,
  { source, adapt }: Pick<Needed, 'source' | 'adapt'>,
): Promise<Float32NdArray> {
  const parts: Float32NdArray[] = [];
  for (const name of source.from) parts.push(await weights.read(name));
  try {
    const tensor = source.make ? source.make(parts) : parts[0]!;
    return adapt ? adapt(tensor) : tensor;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const shapes = parts.map(({ shape }, index) => `${source.from[index]} [${shape.join(', ')}]`);
    throw new RequestError(
      `${weights.location} has tensors of an unexpected shape: ${shapes.join(', ')} (${error.message})`,
      'The file belongs to another architecture, or is in a format that is not supported.',
    );
  }
}

export function requireNames(weights: Weights, needed: readonly Pick<Needed, 'source'>[], network: string): void {
  const missing = needed.flatMap(({ source }) => source.from).filter((name) => !weights.names.has(name));
  if (missing.length === 0) return;
  throw new RequestError(
    `${weights.location} lacks ${missing.length} tensors of ${network}: ${listed(distinct(missing), mostListed)}`,
    'The file is incomplete or belongs to another architecture; use the complete pretrained weights.',
  );
}

/** Names of the file that no source uses. */
export function unusedNames(weights: Weights, sources: readonly TensorSource[]): string[] {
  const used = new Set(sources.flatMap(({ from }) => from));
  return [...weights.names].filter((name) => !used.has(name)).sort();
}

function requireShape(
  weights: Weights,
  { name, shape, source }: Needed,
  tensor: Float32NdArray,
  network: string,
): void {
  if (String(tensor.shape) === String(shape)) return;
  const origin = source.from.length === 1 && source.from[0] === name ? '' : ` (from ${source.from.join(', ')})`;
  throw new RequestError(
    `${weights.location}: ${name}${origin} has shape [${tensor.shape.join(', ')}], ${network} needs [${shape.join(', ')}]`,
    `Use weights that were made for ${network}, or name the architecture the weights belong to.`,
  );
}

function requireFinite({ location }: Weights, { name }: Needed, { data }: Float32NdArray): void {
  // A plain loop: networks of billions of parameters come through here, and a call for each took a sixth of their loading.
  let index = 0;
  while (index < data.length && Number.isFinite(data[index])) index++;
  if (index === data.length) return;
  throw new RequestError(
    `${location}: ${name} holds ${data[index]} (element ${index})`,
    'Weights must be finite: the file is damaged, or its training diverged. Use another copy or an earlier checkpoint.',
  );
}
