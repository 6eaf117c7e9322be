/**
 * How images are prepared for a published network: as what lies beside its weights says, else as their names tell. Anchors
 * that were pretrained here say it themselves.
 */
import path from 'node:path';
import type { Preprocessing } from '../../data/images/preprocessing.js';
import type { Architecture } from '../architecture.js';
import { imageFamilyOf } from '../families.js';
import type { Normalisation } from '../family.js';
import type { Weights } from './formats/weights.js';
import { configuredPreprocessing } from './preprocessing.js';

export interface PublishedInput {
  readonly preprocessing: Preprocessing;
  /** What is assumed, where nothing tells, as a sentence. */
  readonly assumed?: string;
}

/**
 * @param source as the user names the checkpoint
 * @returns undefined for a network that reads no images
 * @throws RequestError when a configuration beside the weights is wrong
 */
export async function publishedInput(
  source: string,
  weights: Weights,
  architecture: Architecture,
): Promise<PublishedInput | undefined> {
  const { input } = architecture;
  if (input.kind !== 'images') return undefined;
  const { preprocessing } = input;
  if (source === 'embedded') return { preprocessing };
  const own = ownNormalisation(weights);
  if (own) return { preprocessing: { ...preprocessing, ...own } };
  const configured = await configuredPreprocessing(path.dirname(weights.location), preprocessing);
  if (configured) return { preprocessing: configured };
  const named = imageFamilyOf(architecture).published.normalisationOf(originOf(source), weights, architecture);
  if (named) return { preprocessing: { ...preprocessing, ...named } };
  const { mean, std } = preprocessing;
  return {
    preprocessing,
    assumed:
      `${weights.location}: nothing tells how its images were normalised; assumed: mean ${mean.join(', ')}, std ${std.join(', ')}. ` +
      "Put config.json of its publisher beside the weights, or give mean and std (DeiT, DINO and MAE: ImageNet's).",
  };
}

/** What a file tells of itself in its metadata, for the one that writes it; see `publishedInput`. */
export function normalisationMetadata({ mean, std }: Normalisation): Readonly<Record<string, string>> {
  return { normalisation: [...mean, ...std].join(',') };
}

function ownNormalisation({ metadata }: Weights): Normalisation | undefined {
  const numbers = (metadata?.['normalisation'] ?? '').split(',').map(Number);
  if (numbers.length !== 6 || !numbers.every(Number.isFinite)) return undefined;
  const [mean, std] = [numbers.slice(0, 3), numbers.slice(3)] as unknown as [
    Normalisation['mean'],
    Normalisation['std'],
  ];
  return { mean, std };
}

/** The words that may tell whose weights these are: an address on the hub, or a file and its folder. */
function originOf(source: string): string {
  return source.startsWith('hf-hub:') ? source : path.resolve(source).split(path.sep).slice(-2).join('/');
}
