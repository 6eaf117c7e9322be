/** Trains one stitch alone, from what shared training left of it, and tests it before and after. */
import type { Trial } from '../../config/trials.js';
import type { Value } from '../../engine/engine.js';
import { toDevice, toHost } from '../../engine/transfer.js';
import type { Quality } from '../../evaluation/quality.js';
import type { TrialIdentity } from '../../run-folder/identity/trial-identity.js';
import { sweepTrial } from '../../run-folder/leftovers.js';
import type { FinetunedResult, SplitScores, TextScores, TrialResult } from '../../run-folder/result.js';
import type { RunWriter } from '../../run-folder/run-writer.js';
import { trainablesOfNames } from '../../stitching/parameters/names.js';
import type { Trainables } from '../../stitching/parameters/trainables.js';
import type { Runtime } from '../../training/runtime.js';
import { epochsOf, type Recipe } from '../recipe.js';
import { recordRecipe } from '../recorded-recipe.js';
import type { TrialContext } from '../trial/context.js';
import { readGrid, sweepTried } from '../trial/grid.js';
import { initialParameters, networkOfTrained, type TrialNetwork } from '../trial/network.js';
import { qualitiesOf } from '../trial/quality.js';
import { runStage } from '../trial/stage.js';
import { trainedFile, writeTrained } from '../trial/trained-file.js';
import { stageResult, stitchResult } from '../trial/trial-result.js';
import { lessonsOf, partsOf, type SharedTrial } from './shared-trial.js';

interface AloneRuntime extends Runtime {
  readonly writer: RunWriter;
  readonly identity: TrialIdentity;
}

/** @param recipe with the one stage of the stitch */
export async function trainAlone(
  { engine, progress, signal, writer, identity }: AloneRuntime,
  trial: Trial,
  recipe: Recipe,
  shared: SharedTrial,
): Promise<TrialResult> {
  const stage = recipe.stages[0]!;
  const id = stage.stitch!;
  const trialFolder = writer.trialFolder(trial);
  const epochs = epochsOf(recipe);
  const onEpoch: TrialContext['onEpoch'] = (epoch, learningRate) =>
    writer.status(trial, { state: 'running', learningRate, epoch, epochs: epochs.grid + epochs.final });
  await writer.begin(trial, identity);
  await sweepTried(trialFolder);
  await onEpoch(0, 0);
  await recordRecipe(trialFolder, recipe);

  // 1. The images or texts, and the network as shared training left it.
  const data = await lessonsOf(shared, recipe, { engine, progress });
  const context: TrialContext = {
    ...{ engine, progress, signal, name: trial.name, recipe, data, trialFolder, identity, onEpoch },
  };
  let network: TrialNetwork | undefined;
  const held: Trainables<Value>[] = [];
  try {
    const { trained } = shared;
    network = networkOfTrained(engine, await partsOf(shared), stage.adaptation, recipe.stitching.bins, trained);
    const start = trainablesOfNames(toDevice(engine, await initialParameters(engine, network, [id], recipe.seed)));
    held.push(start);

    // 2. Before, training, after: what tests decides nothing.
    const before = await scoresOf(context, network, start, 'before training alone');
    const done = await runStage(context, network, stage, 0);
    held.push(done.trainables);
    const after = await scoresOf(context, network, done.trainables, 'after training alone');

    // 3. The result, in the form of a trial with one stitch: language models are reported on the validation texts.
    const [reported, tested] = shared.kind === 'texts' ? [after.validation!, after.test] : [after.test!];
    const { layers, alone, classes } = trained;
    const trainables = await toHost(engine, done.trainables);
    await writeTrained(trainedFile(trialFolder), { trainables, layers, alone, classes, stitches: [id] });
    const result = await writer.result(trial, {
      status: 'finished',
      learningRate: done.baseLearningRate,
      stitches: [stitchResult(recipe.anchors, done, { id }, reported, tested)],
      trainSeconds: done.seconds,
      epochs: epochs.final,
      ...(engine.precision !== 'float32' && { precision: engine.precision }),
      stages: [stageResult(done, await readGrid(trialFolder))],
      ...gainOf(shared, before, after),
    });
    await writer.status(trial, { state: 'finished', learningRate: done.baseLearningRate });
    await sweepTrial(trialFolder, () => true);
    return result;
  } finally {
    for (const trainables of held) engine.free(trainables);
    if (network) engine.free(network.frozen);
    await data.close();
  }
}

/** Of one split each; left out where its images were trained on, or there are none. */
interface Scores {
  readonly validation?: Quality;
  readonly test?: Quality;
}

async function scoresOf(
  context: TrialContext,
  network: TrialNetwork,
  trainables: Trainables<Value>,
  when: string,
): Promise<Scores> {
  const { recipe, data, name } = context;
  const { stitch, final } = recipe.stages[0]!;
  const scoreOn = async (split: 'validation' | 'test') => {
    const label = `${name}: ${split} ${data.kind} ${when}`;
    const [score] = await qualitiesOf(context, network, trainables, [stitch!], split, label);
    return score!;
  };
  const hasValidation = final.split === 'train' && data.evaluation('validation').batchesPerEpoch > 0;
  const hasTest = data.kind === 'images' || data.hasTest;
  return {
    ...(hasValidation && { validation: await scoreOn('validation') }),
    ...(hasTest && { test: await scoreOn('test') }),
  };
}

function gainOf(
  { kind, folder: from }: SharedTrial,
  before: Scores,
  after: Scores,
): Pick<TrialResult, 'finetuned' | 'finetunedLanguage'> {
  if (kind === 'texts') return { finetunedLanguage: { from, shared: textScores(before), alone: textScores(after) } };
  return { finetuned: { from, shared: accuracies(before), alone: accuracies(after) } };
}

function accuracies({ validation, test }: Scores): FinetunedResult['shared'] {
  return { ...(validation && { validation: validation.accuracy }), test: test!.accuracy };
}

function textScores({ validation, test }: Scores): SplitScores {
  return { validation: validation as TextScores, ...(test && { test: test as TextScores }) };
}
