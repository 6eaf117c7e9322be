/** Reading the dotted names of tensors. */
import { RequestError } from '../../shared/errors.js';
import type { Weights } from './formats/weights.js';

/** What wrappers leave before the names: torch.compile, DistributedDataParallel, training scripts. A regular expression. */
export const wrappers = '(?:_orig_mod\\.|module\\.|model\\.|backbone\\.)*';

/**
 * Group 1 of the name that matches, usually a prefix that a wrapper left; undefined when none does.
 * @throws RequestError where several do: which of the networks is meant cannot be told
 */
export function prefixBefore(
  { names, location }: Pick<Weights, 'names' | 'location'>,
  pattern: RegExp,
): string | undefined {
  const found = [...names].filter((name) => pattern.test(name));
  if (found.length < 2) return pattern.exec(found[0] ?? '')?.[1];
  throw new RequestError(
    `${location} holds several networks: it has ${found.join(' and ')}`,
    'Write the one that is meant into a file of its own.',
  );
}

/** Names for a message, up to so many. */
export function listed(names: readonly string[], most: number): string {
  const rest = names.length - most;
  return names.slice(0, most).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** One more than the largest number that follows `prefix` in a name; 0 when none does. */
export function countBlocks(names: ReadonlySet<string>, prefix: string): number {
  let count = 0;
  for (const name of names) {
    const index = name.startsWith(prefix) ? /^\d+/.exec(name.slice(prefix.length)) : null;
    if (index) count = Math.max(count, Number(index[0]) + 1);
  }
  return count;
}

/** Splits timm's `blocks.3.attn.qkv.weight` into 3 and `attn.qkv.weight`. */
export function blockPart(timmName: string): { index: number; part: string } | undefined {
  const match = /^blocks\.(\d+)\.(.*)$/.exec(timmName);
  return match ? { index: Number(match[1]), part: match[2]! } : undefined;
}
