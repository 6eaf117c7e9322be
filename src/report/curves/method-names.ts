/** How tables and figures name the methods of trials, so that nothing is averaged that is no repetition of the other. */
import { seriesOf } from '../../run-folder/result.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { groupBy } from '../../shared/groups.js';
import { learningRateLabel, methodLabel } from './labels.js';

/** A trial of a report. */
export interface NamedTrial extends TrialRecord {
  /** Its method, or variant of a study, with `apart`. */
  readonly method: string;
  /** What its name tells it apart by: " · runs/a"; empty where nothing has to. */
  readonly apart: string;
}

/**
 * A data set, method and seed that has finished more than once is told apart by the name of its run, and inside a run by
 * its learning rate, or by its own name where it is a copy: the report never chooses between them, test accuracy is all it
 * could choose by, nor takes them for two seeds. So are seeds that runs of other settings have trained.
 */
export function namedTrials(trials: readonly TrialRecord[]): NamedTrial[] {
  const finished = trials.filter(({ result }) => result !== undefined);
  const seriesKey = ({ result }: TrialRecord) => JSON.stringify([result!.dataset, seriesOf(result!)]);
  const seedKey = (trial: TrialRecord) => JSON.stringify([seriesKey(trial), trial.result!.seed]);
  const bySeed = [...groupBy(finished, seedKey).values()];
  const acrossRuns =
    bySeed.some((group) => isVaried(group, ({ run }) => run)) ||
    [...groupBy(finished, seriesKey).values()].some(areOfSeveralSettings);
  const insideRuns = bySeed
    .flatMap((group) => [...groupBy(group, ({ run }) => run).values()])
    .some((group) => isVaried(group, ({ result }) => result!.learningRate));
  const copies = groupBy(finished, (trial) => JSON.stringify([seedKey(trial), trial.run, trial.result!.learningRate]));
  const copied = new Set([...copies.values()].filter(({ length }) => length > 1).flat());
  return trials.map((trial) => {
    const { run, name, result, identity } = trial;
    const apart = [
      ...(acrossRuns ? [run] : []),
      ...(insideRuns && result ? [`lr ${learningRateLabel(result.learningRate)}`] : []),
      ...(copied.has(trial) ? [name] : []),
    ]
      .map((text) => ` · ${text}`)
      .join('');
    return { ...trial, method: identity ? `${methodLabel(seriesOf(identity))}${apart}` : name, apart };
  });
}

/** Of several runs, whose configurations are known to differ; older fingerprints cannot be compared with those of today. */
function areOfSeveralSettings(trials: readonly TrialRecord[]): boolean {
  const known = trials.filter(({ configuration }) => configuration?.startsWith('2:'));
  return isVaried(known, ({ run }) => run) && isVaried(known, ({ configuration }) => configuration);
}

function isVaried<T>(items: readonly T[], of: (item: T) => unknown): boolean {
  return new Set(items.map(of)).size > 1;
}
