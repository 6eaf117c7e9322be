/** Which normalisation a published network has, by the words in its address: those of timm's tags and of the authors' files. */
import { clipNormalisation, imagenetNormalisation, inceptionNormalisation } from '../../data/images/preprocessing.js';
import type { Normalisation } from '../family.js';

const words: readonly (readonly [words: RegExp, normalisation: Normalisation])[] = [
  [/clip|openai|laion/i, clipNormalisation],
  [/(^|[^a-z])(deit|dino|mae|moco|msn|ibot)/i, imagenetNormalisation],
  [/augreg|in21k|google/i, inceptionNormalisation],
];

/** undefined where no word tells; the first that does counts, as in `vit_small_patch16_224.dino`. */
export function normalisationNamed(origin: string): Normalisation | undefined {
  return words.find(([word]) => word.test(origin))?.[1];
}
