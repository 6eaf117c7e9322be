/** Numbers of the paper beside ours. */
import type { ResultSegment, StitchResult } from '../../run-folder/result.js';
import { methodLabel } from '../curves/labels.js';

/** One entry of the supplement's Table I. */
export interface PaperEntry {
  /** FLOPs as printed, in G with two decimals. */
  readonly gigaflops: number;
  /** Percent. */
  readonly accuracy: number;
  /** The network; left out where the entry is a mean over tasks, whose networks differ. */
  readonly path?: StitchResult['path'];
}

export interface PaperReference {
  /** Architectures of the anchors that the table is about. */
  readonly anchors: readonly string[];
  /** The paper's entries for a data set (or VTAB-1k) by rising FLOPs; undefined when the paper has none. */
  readonly row: (dataset: string) => readonly PaperEntry[] | undefined;
}

interface Series {
  readonly dataset: string;
  /** Its name, or its label in a table. */
  readonly method: string;
}

/** Table I is about this method, with the settings of an experiment file; variants of a study are others. */
const paperMethod = 'esta';

/**
 * The paper's accuracy of the same network on the same data set, percent; undefined for another method than the paper's
 * table is about, and for networks that are not in it. FLOPs do not tell them apart: other ranks change them, and a
 * ConvNeXt may have those of a ViT.
 */
export function paperAccuracy(
  reference: PaperReference,
  series: Series,
  { path }: Pick<StitchResult, 'path'>,
): number | undefined {
  return entriesFor(reference, series).find((entry) => entry.path && isSame(entry.path, path))?.accuracy;
}

/**
 * The paper's mean over tasks at these FLOPs, percent, on the straight line between its two neighbouring entries; beyond
 * the cheapest and the dearest their own, where ours costs at most a hundredth less or more. Undefined where the paper has no such mean, elsewhere,
 * and where not all of `anchors` are those of the table.
 */
export function paperMean(
  reference: PaperReference,
  series: Series,
  flops: number,
  anchors: readonly string[],
): number | undefined {
  const entries = entriesFor(reference, series).filter(({ path }) => path === undefined);
  if (anchors.length === 0 || !anchors.every((name) => reference.anchors.includes(name))) return undefined;
  const gigaflops = flops / 1e9;
  const above = entries.findIndex((entry) => entry.gigaflops >= gigaflops);
  const last = entries.at(-1);
  if (above < 0) return last && gigaflops <= 1.01 * last.gigaflops ? last.accuracy : undefined;
  const [low, high] = [entries[above - 1], entries[above]!];
  if (!low) return gigaflops >= 0.99 * high.gigaflops ? high.accuracy : undefined;
  const share = (gigaflops - low.gigaflops) / (high.gigaflops - low.gigaflops);
  return low.accuracy + share * (high.accuracy - low.accuracy);
}

function entriesFor({ row }: PaperReference, { dataset, method }: Series): readonly PaperEntry[] {
  const label = methodLabel(paperMethod);
  // What tells runs of one method apart follows its label: "ESTA · runs/a".
  const isPapers = method === paperMethod || method === label || method.startsWith(`${label} · `);
  return (isPapers && row(dataset)) || [];
}

function isSame(one: readonly ResultSegment[], other: readonly ResultSegment[]): boolean {
  const isSegment = ({ anchor, blocks }: ResultSegment, index: number) =>
    anchor === other[index]!.anchor && blocks[0] === other[index]!.blocks[0] && blocks[1] === other[index]!.blocks[1];
  return one.length === other.length && one.every(isSegment);
}
