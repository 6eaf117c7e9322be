/** Reading the dotted names of tensors. */

/** What wrappers leave before the names: torch.compile, DistributedDataParallel, training scripts. A regular expression. */
export const wrappers = '(?:_orig_mod\\.|module\\.|model\\.|backbone\\.)*';

/** Group 1 of the first name that matches, usually a prefix that a wrapper left; undefined when none does. */
export function prefixBefore(names: ReadonlySet<string>, pattern: RegExp): string | undefined {
  for (const name of names) {
    const match = pattern.exec(name);
    if (match) return match[1]!;
  }
  return undefined;
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
