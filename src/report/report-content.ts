/** Everything a report says, before it has a format: read from run folders, nothing computed again. */
import path from 'node:path';
import { type Curve, curvesOf } from './curve.js';
import { type FigureData, figureData } from './figure-data.js';
import { commonDatasets, methodsView } from './methods-view.js';
import type { PaperReference } from './paper.js';
import { meanOverDatasets, type Repetition, repetitionsOf } from './repetition.js';
import { type RunFolder, readRunFolder, type Trial } from './run-folder.js';
import { stitchesView } from './stitches-view.js';
import type { Table } from './table.js';
import { tableOneView } from './table-one-view.js';
import { trainableView } from './trainable-view.js';
import { trialsView } from './trials-view.js';
import { unfinishedOf } from './unfinished.js';

export interface ReportContent {
  readonly title: string;
  readonly runs: readonly RunFolder[];
  readonly trials: readonly Trial[];
  /** For people: Table I, methods, trials. */
  readonly tables: readonly Table[];
  /** For other programs: every evaluated stitch. */
  readonly stitches: Table;
  /** Undefined when no trial has finished. */
  readonly figure: FigureData | undefined;
  /** One sentence each. */
  readonly problems: readonly string[];
  /** What to run next. */
  readonly next: string;
}

export async function readReportContent(folders: readonly string[], reference: PaperReference): Promise<ReportContent> {
  const runs = await Promise.all(folders.map(readRunFolder));
  const trials = runs.flatMap((run) => run.trials);
  const repetitions = repetitionsOf(trials);
  const unfinished = unfinishedOf(trials);
  const curves = curvesOf(repetitions);
  const means = meanCurves(repetitions);
  const tables = [
    ...(curves.length > 0 ? [tableOneView([...curves, ...means], unfinished, reference)] : []),
    methodsView(repetitions, unfinished),
    trainableView(trials),
    ...(trials.length > 0 ? [trialsView(trials)] : []),
  ].filter((table) => table !== undefined);
  return {
    title: `ESTA report: ${runs.map(({ name }) => name).join(', ')}`,
    runs,
    trials,
    tables,
    stitches: stitchesView(trials, reference),
    figure: curves.length > 0 ? figureData(curves, means) : undefined,
    problems: runs.flatMap(({ problems }) => problems),
    next: nextStep(runs),
  };
}

/** Means over the data sets that all methods have finished; [] for one data set. */
function meanCurves(repetitions: readonly Repetition[]): Curve[] {
  const methods = [...new Set(repetitions.map(({ method }) => method))];
  const datasets = [...new Set(repetitions.map(({ dataset }) => dataset))];
  const common = commonDatasets(repetitions, methods, datasets);
  return common.length > 1 ? curvesOf(meanOverDatasets(repetitions, common)) : [];
}

function nextStep(runs: readonly RunFolder[]): string {
  const open = runs
    .map((run) => ({ run, count: run.trials.filter(({ state }) => state !== 'finished').length }))
    .filter(({ count }) => count > 0);
  if (open.length > 0) {
    const { run, count } = open[0]!;
    const trials = count === 1 ? '1 trial that has' : `${count} trials that have`;
    const command = run.command ?? `esta run ${path.join(run.folder, 'experiment.yaml')} --out ${run.folder}`;
    return `${command} runs the ${trials} no result yet`;
  }
  const folders = runs.map(({ folder }) => folder).join(' ');
  return `esta report ${folders} --out report.html writes a page with the curve to explore`;
}
