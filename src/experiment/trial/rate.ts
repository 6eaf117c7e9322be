/** One base learning rate of a trial's grid, tried alone: other processes try the others. */
import type { Trial } from '../../config/trials.js';
import { checkpointFile } from '../../run-folder/leftovers.js';
import type { HeldElsewhere } from '../../run-folder/lock.js';
import type { Float32NdArray } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { trainablesOfNames } from '../../stitching/parameters/names.js';
import { joinTrainables, noTrainables, type Trainables } from '../../stitching/parameters/trainables.js';
import type { Adaptation } from '../../stitching/space/cost.js';
import { restoreCheckpoint } from '../../training/checkpoint.js';
import type { StageRecipe } from '../recipe.js';
import { taskOf } from '../task/task.js';
import type { TrialContext, TrialRuntime } from './context.js';
import { tryRate } from './grid.js';
import {
  type Anchors,
  mergeAnchors,
  type NetworkParts,
  networkOfAnchors,
  networkOfStitches,
  type TrialNetwork,
} from './network.js';
import { runFingerprint, tryRateOut } from './stage.js';

/**
 * Tries the rate and notes what it came to, unless that is done.
 * @returns what another process is at
 * @throws RequestError where anchors that are stitched once they are trained are not
 */
export async function runRate(
  trial: Trial,
  runtime: TrialRuntime,
  stageName: string,
  baseRate: number,
): Promise<HeldElsewhere | undefined> {
  const { engine, writer, identity, progress, signal } = runtime;
  const { name } = trial;
  const trialFolder = writer.trialFolder(trial);
  const task = await taskOf(trial, runtime);
  const { recipe } = task;
  const stage = recipe.stages.find(({ name }) => name === stageName)!;
  const learningRate = stage.learningRates.find(({ base }) => base === baseRate)!;
  return tryRate(trialFolder, stage.name, learningRate, async (folder) => {
    await writer.begin(trial, identity);
    const data = await task.open([{ ...stage, final: stage.grid! }], [recipe.choiceSplit]);
    const onEpoch = async () => {}; // its folder holds the epochs that are done
    const surroundings = { engine, progress, signal, name, recipe, data, identity, onEpoch };
    const context: TrialContext = { ...surroundings, trialFolder: folder };
    let network: TrialNetwork | undefined;
    try {
      const parts = await task.parts();
      network =
        stage.anchor !== undefined
          ? networkOfAnchors(engine, parts, stage.adaptation as Adaptation)
          : await networkOfStitches(
              context,
              await trainedAnchors(parts, { ...context, trialFolder }),
              stage.adaptation,
              await task.fitInputs(),
            );
      return await tryRateOut(context, network, stage, learningRate, 0);
    } finally {
      if (network) engine.free(network.frozen);
      await data.close();
    }
  });
}

/** The anchors that are stitched: as they were pretrained, or as the final runs of this trial have left them. */
async function trainedAnchors(parts: NetworkParts, context: TrialContext): Promise<NetworkParts> {
  const alone = context.recipe.stages.filter(({ anchor }) => anchor !== undefined);
  if (alone.length === 0) return parts;
  const learned: Trainables<Float32NdArray>[] = [];
  for (const stage of alone) learned.push(await learnedIn(stage, context));
  const trained = learned.reduce(joinTrainables, noTrainables as Trainables<Float32NdArray>);
  return { ...parts, anchors: mergeAnchors(parts.anchors as Anchors, parts, trained) };
}

async function learnedIn({ name }: StageRecipe, context: TrialContext): Promise<Trainables<Float32NdArray>> {
  const file = checkpointFile(context.trialFolder, name);
  const saved = await restoreCheckpoint(file, runFingerprint(context, name));
  if (saved) return trainablesOfNames(saved.state.parameters);
  throw new RequestError(
    `${file} is not there: the rates of this grid stitch the anchors that it holds`,
    `Run ${context.name}/${name} first.`,
  );
}
