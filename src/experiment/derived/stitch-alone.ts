/** Trains one stitch alone, from what shared training left of it, and tests it before and after. */
import path from 'node:path';
import type { Trial } from '../../config/trials.js';
import type { Value } from '../../engine/engine.js';
import { toDevice, toHost } from '../../engine/transfer.js';
import type { TrialIdentity } from '../../run-folder/identity/trial-identity.js';
import { sweepTrial } from '../../run-folder/leftovers.js';
import type { FinetunedResult, TrialResult } from '../../run-folder/result.js';
import type { RunWriter } from '../../run-folder/run-writer.js';
import { writeAtomic } from '../../shared/files.js';
import { trainablesOfNames } from '../../stitching/parameters/names.js';
import type { Trainables } from '../../stitching/parameters/trainables.js';
import type { Runtime } from '../../training/runtime.js';
import { epochsOf, type ImageTrialRecipe } from '../recipe.js';
import type { TrialContext } from '../trial/context.js';
import { accuraciesOf } from '../trial/evaluate.js';
import { readGrid, sweepTried } from '../trial/grid.js';
import { initialParameters, networkOfTrained, type TrialNetwork } from '../trial/network.js';
import { runStage } from '../trial/stage.js';
import { writeTrained } from '../trial/trained-file.js';
import { type ImageTrialData, openTrialData } from '../trial/trial-data.js';
import { stageResult, stitchResult } from '../trial/trial-result.js';
import { partsOf, type SharedTrial } from './shared-trial.js';

interface AloneRuntime extends Runtime {
  readonly writer: RunWriter;
  readonly identity: TrialIdentity;
}

/** @param recipe with the one stage of the stitch */
export async function trainAlone(
  { engine, progress, signal, writer, identity }: AloneRuntime,
  trial: Trial,
  recipe: ImageTrialRecipe,
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
  await writeAtomic(path.join(trialFolder, 'recipe.json'), `${JSON.stringify(recipe, null, 2)}\n`);

  // 1. The images, and the network as shared training left it.
  const data = await openTrialData(recipe, shared.dataset.splits, progress);
  const context: TrialContext & { readonly data: ImageTrialData } = {
    ...{ engine, progress, signal, name: trial.name, recipe, data, trialFolder, identity, onEpoch },
  };
  let network: TrialNetwork | undefined;
  const held: Trainables<Value>[] = [];
  try {
    const { trained } = shared;
    network = networkOfTrained(engine, await partsOf(shared), stage.adaptation, recipe.stitching.bins, trained);
    const start = trainablesOfNames(toDevice(engine, await initialParameters(engine, network, [id], recipe.seed)));
    held.push(start);

    // 2. Before, training, after: the test images decide nothing.
    const before = await accuracies(context, network, start, 'after shared training');
    const done = await runStage(context, network, stage, 0);
    held.push(done.trainables);
    const after = await accuracies(context, network, done.trainables, 'after training alone');

    // 3. The result, in the form of a trial with one stitch.
    const { layers, alone, classes } = trained;
    const trainables = await toHost(engine, done.trainables);
    const file = path.join(trialFolder, 'trained.safetensors');
    await writeTrained(file, { trainables, layers, alone, classes, stitches: [id] });
    const result = await writer.result(trial, {
      status: 'finished',
      learningRate: done.baseLearningRate,
      stitches: [stitchResult(recipe.anchors, done, { id }, { accuracy: after.test })],
      trainSeconds: done.seconds,
      epochs: epochs.final,
      stages: [stageResult(done, await readGrid(trialFolder))],
      finetuned: { from: shared.folder, shared: before, alone: after },
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

/** Percent of the test images and, where they were not trained on, of the validation images. */
async function accuracies(
  context: TrialContext & { readonly data: ImageTrialData },
  network: TrialNetwork,
  trainables: Trainables<Value>,
  when: string,
): Promise<FinetunedResult['shared']> {
  const { recipe, data, name } = context;
  const { stitch, final } = recipe.stages[0]!;
  const accuracyOn = async (split: 'validation' | 'test') => {
    const label = `${name}: ${split} images ${when}`;
    const [accuracy] = await accuraciesOf(context, network, trainables, [stitch!], data.evaluation(split), label);
    return accuracy!;
  };
  const hasValidation = final.split === 'train' && data.evaluation('validation').batchesPerEpoch > 0;
  return {
    ...(hasValidation && { validation: await accuracyOn('validation') }),
    test: await accuracyOn('test'),
  };
}
