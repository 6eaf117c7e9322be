/** Which normalisation a published network has, by the words in its address: those of timm's tags and of the authors' files. */
import { clipNormalisation, imagenetNormalisation, inceptionNormalisation } from '../../data/images/preprocessing.js';
import type { Normalisation } from '../family.js';

/** Whole words, a version behind them at most: folders are called `eclipse` and `dinosaurs`, too. */
const wholeWord = (words: string) => new RegExp(`(^|[^a-z])(${words})(v?\\d|[^a-z]|$)`, 'i');

const clipWords = wholeWord('(open|meta)?clip|openai|laion');

const words: readonly (readonly [words: RegExp, normalisation: Normalisation])[] = [
  [clipWords, clipNormalisation],
  [wholeWord('deit|dino|mae|moco|msn|ibot'), imagenetNormalisation],
  [wholeWord('augreg|in21k|google'), inceptionNormalisation],
];

/** undefined where no word tells; the first that does counts, as in `vit_small_patch16_224.dino`. */
export function normalisationNamed(origin: string): Normalisation | undefined {
  return words.find(([word]) => word.test(origin))?.[1];
}

/** Whether the words tell of a CLIP, whatever the family of the network. */
export function isNamedClip(origin: string): boolean {
  return clipWords.test(origin);
}
