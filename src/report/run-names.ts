/** Names that tell run folders apart: the last part of the path, and as many before it as that takes. */
import path from 'node:path';
import type { RunFolder } from '../run-folder/run-folder.js';
import { groupBy } from '../shared/groups.js';

/** The runs, each once, those of one name under longer ones: `a/flowers`, `b/flowers`. */
export function distinctlyNamed(runs: readonly RunFolder[]): RunFolder[] {
  const each = [...groupBy(runs, ({ folder }) => path.resolve(folder)).values()].map(([first]) => first!);
  const sameName = groupBy(each, ({ name }) => name);
  return each.map((run) => {
    const others = sameName.get(run.name)!;
    return others.length === 1 ? run : renamed(run, lastParts(run.folder, partsThatDiffer(others)));
  });
}

function renamed(run: RunFolder, name: string): RunFolder {
  return { ...run, name, trials: run.trials.map((trial) => ({ ...trial, run: name })) };
}

/** How many last parts of their paths are different in all of them. */
function partsThatDiffer(runs: readonly RunFolder[]): number {
  for (let parts = 2; ; parts++) {
    if (new Set(runs.map(({ folder }) => lastParts(folder, parts))).size === runs.length) return parts;
  }
}

function lastParts(folder: string, parts: number): string {
  return path.resolve(folder).split(path.sep).slice(-parts).join('/');
}
