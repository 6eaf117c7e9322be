/** The machine that a report is asked for: its times are shown, and those of no other one. */
import type { MachineMeasurements } from '../run-folder/measured/measurement.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { RequestError } from '../shared/errors.js';
import { distinct } from '../shared/groups.js';
import { estaCommand, formatNextStep } from '../shared/next-step.js';
import { measuredCurvesOf } from './views/latency-view.js';

type Measured = Pick<RunFolder, 'folder' | 'machines' | 'trials'>;

/**
 * The runs without what other machines have measured; all of it where no machine is asked for.
 * @throws RequestError where none of the runs was measured on it: names the machines that there are
 */
export function measuredOnlyOn<Run extends Measured>(
  runs: readonly Run[],
  machine: string | undefined,
): readonly Run[] {
  if (machine === undefined) return runs;
  const names = distinct(measuredCurvesOf(runs).map((curve) => curve.machine));
  const isAsked = (table: MachineMeasurements) => table.machine === machine;
  if (names.includes(machine)) return runs.map((run) => ({ ...run, machines: run.machines.filter(isAsked) }));
  throw new RequestError(
    `--machine: ${runs.map(({ folder }) => folder).join(', ')} was not measured on ${JSON.stringify(machine)}`,
    names.length > 0
      ? `Choose one of ${names.join(', ')}, or leave it out.`
      : formatNextStep({
          purpose: 'Nothing was measured there yet. On this machine:',
          command: estaCommand('measure', runs[0]!.folder),
        }),
  );
}
