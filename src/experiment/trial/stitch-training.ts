/** What a step of a stitched network does: one stitch is drawn, learns, and earns its importance score. */
import type { Engine } from '../../engine/engine.js';
import { Random, type RandomState } from '../../shared/random.js';
import { type ImportanceScores, initialImportance, updateImportance } from '../../stitching/importance.js';
import { drawStitch } from '../../stitching/sampling.js';
import type { Step, Training } from '../../training/loop.js';
import { stepRunner } from '../../training/step-runner.js';
import type { DeviceState } from '../../training/training-state.js';
import type { StageRecipe } from '../recipe.js';
import { initialParameters, type TrialNetwork } from './network.js';

/** What changes beside tensors. */
export interface StitchRest {
  readonly importance: ImportanceScores;
  readonly random: RandomState;
  /** How often each stitch was drawn in the epoch under way, by id. */
  readonly draws: readonly number[];
}

export type StitchLearning = Pick<
  StageRecipe,
  'sampling' | 'importanceMomentum' | 'distillation' | 'weightDecay' | 'anchor'
>;

/** The part of a training that is about stitches. */
export function stitchTraining(
  engine: Engine,
  network: TrialNetwork,
  learning: StitchLearning,
  seed: number,
): Pick<Training<StitchRest>, 'initialParameters' | 'initialRest' | 'stepOn'> {
  const { length: count } = network.space.stitches;
  return {
    initialParameters: () => initialParameters(engine, network, trainedStitches(network, learning), seed),
    initialRest: {
      importance: initialImportance(count, learning.importanceMomentum),
      random: Random.of(seed, 'stitches').save(),
      draws: new Array<number>(count).fill(0),
    },
    stepOn: (state) => stitchSteps(engine, network, learning, state),
  };
}

/** Ids of the stitches that are trained: a single anchor, or all of the space. */
export function trainedStitches({ space }: TrialNetwork, { anchor }: Pick<StageRecipe, 'anchor'>): number[] {
  return anchor === undefined ? space.stitches.map(({ id }) => id) : [anchor];
}

function stitchSteps(
  engine: Engine,
  network: TrialNetwork,
  learning: StitchLearning,
  state: DeviceState,
): Step<StitchRest> {
  const { weightDecay, distillation, sampling, anchor } = learning;
  const hasScores = learning.importanceMomentum !== undefined;
  const run = stepRunner(engine, network, state, {
    weightDecay,
    saliency: hasScores,
    ...(distillation && { distillation }),
  });
  return async ({ images, labels, index }, { epoch, learningRate }, { importance, random, draws }) => {
    const generator = Random.restore(random);
    const id = anchor ?? drawStitch(sampling, { epoch, importance, bins: network.bins }, generator);
    const { loss, labelLoss, teacherLoss, saliency } = await run(id, images, labels, learningRate);
    const before = index === 0 ? draws.map(() => 0) : draws;
    return {
      measures: { loss, labelLoss, teacherLoss },
      subject: `stitch ${id}`,
      next: () => ({
        importance: hasScores ? updateImportance(importance, id, saliency) : importance,
        random: generator.save(),
        draws: before.with(id, before[id]! + 1),
      }),
    };
  };
}
