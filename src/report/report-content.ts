/** Everything a report says, before it has a format: read from run folders, nothing computed again. */
import path from 'node:path';
import { commandOf, type RunFolder, readRunFolder } from '../run-folder/run-folder.js';
import { counted } from '../shared/costs/numbers.js';
import { estaCommand, type NextStep } from '../shared/next-step.js';
import { curvesOf } from './curves/curve.js';
import { type NamedTrial, namedTrials } from './curves/method-names.js';
import { meanOverDatasets, repetitionsOf } from './curves/repetition.js';
import { type FigureData, figureData } from './figures/figure-data.js';
import { figureSpec } from './figures/figure-spec.js';
import { furtherFigures, type NamedFigure } from './figures/further-figures.js';
import { answersViews } from './language/answers-view.js';
import { languageGainView } from './language/gain-view.js';
import { lossesView } from './language/losses-view.js';
import { equalTimeView, lengthView } from './length/length-views.js';
import { longestOf, trainedLengthsOf } from './length/lengths.js';
import { measuredOnlyOn } from './measured-machine.js';
import type { PaperReference } from './paper/paper.js';
import type { Table } from './render/table.js';
import { distinctlyNamed } from './run-names.js';
import { type BudgetQuestion, budgetsView } from './views/budgets-view.js';
import { curvesView } from './views/curves-view.js';
import { deployedBlocksOf, deployedView } from './views/deployed-blocks.js';
import { gainView } from './views/gain-view.js';
import { anglesView, gradientAnglesOf } from './views/gradient-angles.js';
import { latencyView, measuredCurvesOf } from './views/latency-view.js';
import { methodsView } from './views/methods-view.js';
import { regretView } from './views/regret-view.js';
import { stitchesView } from './views/stitches-view.js';
import { tableOneView } from './views/table-one-view.js';
import { trainableAccuraciesOf, trainableAccuracyView } from './views/trainable-accuracy.js';
import { trainableView } from './views/trainable-view.js';
import { trainingProgressOf, trainingView } from './views/training-progress.js';
import { trialsView } from './views/trials-view.js';
import { unfinishedOf } from './views/unfinished.js';

export interface ReportContent {
  readonly title: string;
  readonly runs: readonly RunFolder[];
  readonly trials: readonly NamedTrial[];
  /** For people: Table I, methods, patterns, training, trials. */
  readonly tables: readonly Table[];
  /** For other programs: every evaluated stitch. */
  readonly stitches: Table;
  /** Undefined when no trial has finished. */
  readonly figure: FigureData | undefined;
  /** Its drawing first, then the other figures of the paper, where there is something to show. */
  readonly figures: readonly NamedFigure[];
  /** One sentence each. */
  readonly problems: readonly string[];
  readonly next: NextStep;
}

/** @throws RequestError where a budget cannot be answered: nobody has measured it, or several machines have; and for a machine that has measured none of it */
export async function readReportContent(
  folders: readonly string[],
  reference: PaperReference,
  question: BudgetQuestion = { budgets: [] },
): Promise<ReportContent> {
  const runs = distinctlyNamed(await Promise.all(folders.map(readRunFolder)));
  const trials = namedTrials(runs.flatMap((run) => run.trials));
  // Methods are compared by their longest trainings; the shorter ones stand beside these by their time.
  const longest = longestOf(trials);
  const repetitions = repetitionsOf(longest);
  const unfinished = unfinishedOf(longest);
  const lengths = trainedLengthsOf(trials);
  const curves = curvesOf(repetitions);
  const means = curvesOf(meanOverDatasets(repetitions));
  const progress = trainingProgressOf(trials);
  const trainable = trainableAccuraciesOf(repetitions);
  const deployed = deployedBlocksOf(repetitions);
  const angles = gradientAnglesOf(trials);
  const asked = measuredOnlyOn(runs, question.machine);
  const measured = measuredCurvesOf(asked);
  const tables = [
    budgetsView(runs, question),
    ...(curves.length > 0 ? [tableOneView(curves, means, unfinished, reference)] : []),
    lossesView(trials),
    methodsView(repetitions, unfinished),
    curvesView(repetitions),
    lengthView(lengths),
    equalTimeView(lengths),
    trainingView(progress),
    trainableView(longest),
    trainableAccuracyView(trainable),
    deployedView(deployed),
    ...angles.map(anglesView),
    latencyView(measured),
    gainView(trials),
    languageGainView(trials),
    regretView(asked),
    ...answersViews(trials),
    ...(trials.length > 0 ? [trialsView(trials)] : []),
  ].filter((table) => table !== undefined);
  const figure = curves.length > 0 ? figureData(curves, means) : undefined;
  const curve = figure && { name: 'figure', title: 'Accuracy against FLOPs', spec: figureSpec(figure) };
  return {
    title: `ESTA report: ${runs.map(({ name }) => name).join(', ')}`,
    runs,
    trials,
    tables,
    stitches: stitchesView(trials, reference),
    figure,
    figures: [
      ...(curve ? [curve] : []),
      ...furtherFigures({ lengths, progress, trainable, deployed, angles, measured }),
    ],
    problems: runs.flatMap(({ problems }) => problems),
    next: nextStep(runs),
  };
}

function nextStep(runs: readonly RunFolder[]): NextStep {
  const open = runs
    .map((run) => ({ run, count: run.trials.filter(({ state }) => state !== 'finished').length }))
    .filter(({ count }) => count > 0);
  if (open.length > 0) {
    const { run, count } = open[0]!;
    const whose = runs.length > 1 ? ` of ${run.name}` : '';
    return {
      purpose: `${counted(count, 'trial')}${whose} ${count === 1 ? 'has' : 'have'} no result yet. The run goes on with:`,
      command: commandOf(run),
    };
  }
  const folders = runs.map(({ folder }) => folder);
  const page = folders.length === 1 ? path.join(folders[0]!, 'report.html') : 'report.html';
  return { purpose: 'A page with the curve to explore:', command: estaCommand('report', ...folders, '--out', page) };
}
