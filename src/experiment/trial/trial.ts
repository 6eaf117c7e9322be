/** The story of one trial: a data set, a method, a seed. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Trial } from '../../config/plan.js';
import { epochsOf, type StagePlan, stagesOf } from '../../config/stages.js';
import { loadDataset } from '../../data/load.js';
import type { Engine } from '../../engine/engine.js';
import { toHost } from '../../engine/transfer.js';
import type { TrialResult } from '../../run-folder/result.js';
import type { RunWriter } from '../../run-folder/run-writer.js';
import { Interrupted } from '../../shared/errors.js';
import type { Progress } from '../../shared/progress.js';
import { spaceOf } from '../space.js';
import { accuraciesOf } from './evaluate-palette.js';
import { methodOf } from './method.js';
import { anchorsPalette, loadAnchors, mergeAnchors, type Palette, stitchedPalette } from './palette.js';
import { evaluation, joined, readGrid, runStage, type StageContext, type TrainedStage } from './stage.js';
import { checkpointFile } from './train-palette.js';
import { writeTrained } from './trained-file.js';
import { fitImages, openTrialData } from './trial-data.js';
import { stageResult, stitchResult } from './trial-result.js';

export interface TrialSurroundings {
  readonly engine: Engine;
  readonly writer: RunWriter;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Where drawn images are kept. */
  readonly cacheFolder: string;
}

/** A stage that is done. */
interface DoneStage {
  readonly plan: StagePlan;
  readonly palette: Palette;
  readonly trained: TrainedStage;
}

export async function runTrial(trial: Trial, surroundings: TrialSurroundings): Promise<TrialResult> {
  const { engine, writer, progress, cacheFolder, signal } = surroundings;
  const { seed, experiment } = trial;
  const method = methodOf(trial.method, experiment);
  const plans = stagesOf(trial.method, experiment);
  const trialFolder = writer.trialFolder(trial);
  const onEpoch = epochReporter(trial, writer);
  await onEpoch(0, 0);

  // 1. The images, and how many classes there are to tell apart.
  const dataset = await loadDataset(trial.dataset, cacheFolder, { seed, progress });
  const classes = dataset.classes.length;
  const { anchors: architectures } = spaceOf(experiment, classes);
  const data = await openTrialData(experiment, dataset, architectures[0]!, seed, progress);
  const context: StageContext = {
    ...{ trial, engine, progress, signal, data, trialFolder, onEpoch },
    configuration: writer.configuration,
  };
  const done: DoneStage[] = [];
  const epochsBefore = () => done.reduce((sum, { plan }) => sum + epochsOfStage(plan, trial), 0);
  try {
    // 2. The pretrained anchors; some methods adapt each of them alone first.
    let anchors = await loadAnchors(experiment, architectures, classes);
    if (method.anchorsAlone) {
      const palette = anchorsPalette(engine, experiment, classes, method.anchorsAlone, anchors);
      for (const plan of plans.filter(({ anchor }) => anchor !== undefined)) {
        stopIfAborted(signal, trial);
        const scheme = { stitches: [plan.anchor!], sampling: { strategy: 'uniform' }, hasScores: false } as const;
        const stage = {
          plan,
          palette,
          scheme,
          deployment: 'everything trained',
          epochsBefore: epochsBefore(),
        } as const;
        done.push({ plan, palette, trained: await runStage(context, stage) });
      }
      const trained = await toHost(engine, joined(done.map((stage) => stage.trained)));
      anchors = mergeAnchors(anchors, palette, trained);
    }
    // 3. The stitched network: stitching layers start from least squares; learning rate, training, deployment.
    if (method.stitched) {
      stopIfAborted(signal, trial);
      const { adaptation, deployment, ...how } = method.stitched;
      const images = await fitImages(experiment, dataset, architectures[0]!, seed);
      progress.start(`${trial.name}: fitting stitching layers`, images.length);
      const fitted = (batches: number) => progress.update(batches);
      const palette = await stitchedPalette(engine, experiment, classes, adaptation, anchors, images, fitted);
      progress.stop();
      const scheme = { ...how, stitches: palette.space.stitches.map(({ id }) => id) };
      const plan = plans.find(({ anchor }) => anchor === undefined)!;
      const stage = { plan, palette, scheme, deployment, epochsBefore: epochsBefore() };
      done.push({ plan, palette, trained: await runStage(context, stage) });
    }
    // 4. What is deployed is tested: the stitched network's choice, or the anchors where nothing was stitched.
    const deployed = method.stitched ? done.slice(-1) : done;
    const stitches = [];
    for (const { palette, trained } of deployed) {
      const ids = trained.deployed.map(({ id }) => id);
      const label = `${trial.name}: testing`;
      const accuracies = await accuraciesOf(evaluation(context), palette, trained.trainables, ids, data.test, label);
      for (const [index, stitch] of trained.deployed.entries()) {
        stitches.push(stitchResult(experiment, palette, trained.importance, stitch, accuracies[index]!));
      }
    }
    // 5. The trained tensors and the result; the checkpoints have done their work.
    const learnedIn = (stages: readonly DoneStage[]) => toHost(engine, joined(stages.map(({ trained }) => trained)));
    await writeTrained(path.join(trialFolder, 'trained.safetensors'), {
      trainables: await learnedIn(deployed),
      layers: await toHost(engine, done.at(-1)!.palette.frozen.layers),
      alone: await learnedIn(done.filter((stage) => !deployed.includes(stage))),
      classes: dataset.classes,
    });
    const grid = await readGrid(trialFolder);
    const stages = done.map(({ plan, palette, trained }) => stageResult(plan, palette, trained, grid));
    const { final: epochs } = epochsOf(trial.method, experiment);
    const learningRate = done.at(-1)!.trained.baseRate;
    const result = await writer.result(trial, {
      ...{ status: 'finished', learningRate, stitches, epochs, stages },
      trainSeconds: stages.reduce((sum, { trainSeconds }) => sum + trainSeconds, 0),
      ...(method.stitched && {
        deploySeconds: done.at(-1)!.trained.deploySeconds,
        layerStartErrors: done.at(-1)!.palette.startErrors,
      }),
    });
    await writer.status(trial, { state: 'finished', learningRate });
    for (const { name } of plans) await rm(checkpointFile(trialFolder, name), { force: true });
    return result;
  } finally {
    for (const { trained } of done) engine.free(trained.trainables);
    for (const palette of new Set(done.map(({ palette }) => palette))) engine.free(palette.frozen);
    await data.close();
  }
}

function epochsOfStage({ epochs, gridEpochs }: StagePlan, { experiment }: Trial): number {
  return epochs + gridEpochs * experiment.training.base_learning_rates.length;
}

/** Keeps the status of the trial up to date. */
function epochReporter(trial: Trial, writer: RunWriter): StageContext['onEpoch'] {
  const { grid, final } = epochsOf(trial.method, trial.experiment);
  return (epoch, learningRate) => writer.status(trial, { state: 'running', learningRate, epoch, epochs: grid + final });
}

function stopIfAborted(signal: AbortSignal, { name }: Trial): void {
  if (signal.aborted) throw new Interrupted(`stopped in ${name}; what was trained is saved`);
}
