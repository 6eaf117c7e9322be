/** Every trial with its state, the failed and the missing ones included. */

import { secondsOf, seriesOf } from '../../run-folder/result.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { distinct } from '../../shared/groups.js';
import { datasetLabel, durationLabel, learningRateLabel, methodLabel } from '../curves/labels.js';
import { type Cell, type Column, none, type Row, type Table } from '../render/table.js';

export function trialsView(trials: readonly TrialRecord[]): Table {
  const severalRuns = new Set(trials.map(({ run }) => run)).size > 1;
  // Choosing by importance scores takes no time worth a column.
  const evaluates = trials.some(({ result }) => (result?.deploySeconds ?? 0) >= 1);
  const compares = trials.some(({ result }) => result?.beaten !== undefined);
  const columns: Column[] = [
    ...(severalRuns ? [{ key: 'run', label: 'Run', kind: 'text', grouping: true } as const] : []),
    { key: 'dataset', label: 'Data set', kind: 'text' },
    { key: 'method', label: 'Method', kind: 'text' },
    { key: 'seed', label: 'Seed', kind: 'number', precision: 0 },
    { key: 'learningRate', label: 'Learning rate', kind: 'number' },
    { key: 'status', label: 'Status', kind: 'text' },
    { key: 'best', label: 'Best (%)', kind: 'number' },
    { key: 'time', label: 'Time', kind: 'number' },
    ...(evaluates ? [{ key: 'choice', label: 'Choice', kind: 'number' } as const] : []),
    ...(compares ? [{ key: 'beaten', label: 'Left out', kind: 'number', precision: 0 } as const] : []),
  ];
  const rows = trials.map((trial, index): Row => {
    const { identity, result, run, state } = trial;
    const accuracies = result?.stitches.map(({ accuracy }) => accuracy) ?? [];
    const absent: Cell = { mark: absence[state] };
    return {
      startsGroup: run !== trials[index - 1]?.run,
      cells: {
        run,
        dataset: identity ? datasetLabel(identity.dataset) : trial.name,
        method: identity ? methodLabel(seriesOf(identity)) : none,
        seed: identity?.seed ?? none,
        learningRate: ratesOf(trial),
        status: statusText(trial),
        best: accuracies.length > 0 ? Math.max(...accuracies) : absent,
        time: result ? durationLabel(secondsOf(result)) : absent,
        ...(evaluates && { choice: choiceOf(result, absent) }),
        ...(compares && { beaten: result ? (result.beaten?.length ?? none) : absent }),
      },
    };
  });
  const measured = trials.some(({ result }) => result !== undefined)
    ? [
        'best: the highest reported accuracy of what is deployed; time: trainings and their grids, without choice and tests',
      ]
    : [];
  const errors = trials.filter(({ error }) => error).map(({ run, name, error }) => `${run}/${name}: ${error}`);
  const choice = 'choice: time to choose the deployed stitches once they are trained';
  const leftOut =
    'left out: stitches that were chosen for a bin and not deployed, since a cheaper one is better on the validation images';
  const beaten = trials.flatMap(({ name, result }) => {
    const each = result?.beaten?.map(({ id, bin, by }) => `${id} (of bin ${bin + 1}) by ${by}`) ?? [];
    return each.length > 0 ? [`${name}: stitch ${each.join(', ')}`] : [];
  });
  const notes = [...measured, ...(evaluates ? [choice] : []), ...(compares ? [leftOut, ...beaten] : []), ...errors];
  return { name: 'trials', title: 'Trials', columns, rows, notes };
}

/** Of several trainings, such as anchors alone, one for each in their order, where they differ. */
function ratesOf({ identity, result }: TrialRecord): Cell {
  const rates = distinct(result?.stages?.map(({ learningRate }) => learningRate) ?? []);
  if (rates.length > 1) return result!.stages!.map(({ learningRate }) => learningRateLabel(learningRate)).join(', ');
  // 0 stands for none as yet: the trial has not begun, searches one, or failed before it had one.
  return identity?.learningRate ? learningRateLabel(identity.learningRate) : none;
}

function choiceOf(result: TrialRecord['result'], absent: Cell): Cell {
  if (!result) return absent;
  return result.deploySeconds === undefined ? none : durationLabel(result.deploySeconds);
}

const absence = {
  waiting: 'missing',
  running: 'running',
  failed: 'failed',
  unreadable: 'failed',
  finished: 'none',
} as const;

function statusText({ state, status }: TrialRecord): string {
  if (state === 'waiting') return 'missing';
  if (state !== 'running' || status?.epoch === undefined) return state;
  return `running, epoch ${status.epoch}${status.epochs === undefined ? '' : ` of ${status.epochs}`}`;
}
