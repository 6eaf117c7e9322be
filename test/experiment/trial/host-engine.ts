/**
 * An engine without mathematics, for tests of what a trial does around its programs: values stay on the host, a step
 * changes nothing, and what programs measure is what the test says.
 */
import type { BatchLoader } from '../../../src/data/batches/batches.js';
import { type Engine, isValue, type Value } from '../../../src/engine/engine.js';
import { toDevice } from '../../../src/engine/transfer.js';
import type { StageRecipe } from '../../../src/experiment/recipe.js';
import type { TrialContext } from '../../../src/experiment/trial/context.js';
import type { TrialNetwork } from '../../../src/experiment/trial/network.js';
import { float32, int32, type NdArray } from '../../../src/shared/arrays.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { leavesOf, mapTree } from '../../../src/shared/tree.js';
import { flopsBins } from '../../../src/stitching/space/flops-bins.js';
import { frozenNetwork, networkOf, pst, space, teacher } from '../../training/miniature-network.js';

/** What a step measures: of the stitch, and of its teacher. */
export interface Measured {
  readonly loss: number;
  readonly saliency?: number;
  readonly teacherLoss?: number;
  readonly labelLoss?: number;
}

export interface Answers {
  /** A step of a stitch. */
  readonly step?: (id: number, rate: number, inputs: Inputs) => Measured;
  /** How many images of a batch a stitch gets right; NaN where its logits are no numbers. */
  readonly correct?: (id: number) => number;
  /** Any other program, by its key. */
  readonly other?: (program: string, inputs: Inputs) => object;
}

export type Inputs = Readonly<Record<string, unknown>>;

export interface HostEngine extends Engine {
  /** Programs in the order in which they ran. */
  readonly ran: string[];
  /** Values that were made and not given back. */
  readonly live: ReadonlySet<Value>;
  /** A tree of the same arrays in new values, as a step gives back a state. */
  copied(state: unknown): object;
}

const scalars = (...values: readonly number[]) => float32([values.length], Float32Array.from(values));

export function hostEngine({ step, correct, other }: Answers): HostEngine {
  const ran: string[] = [];
  const live = new Set<Value>();
  const made = (value: Value): Value => {
    live.add(value);
    return value;
  };
  const put = ({ shape, dtype, ...array }: NdArray) => made({ shape, dtype, storage: { shape, dtype, ...array } });
  const copied = (state: unknown) => mapTree(state, isValue, (value) => made({ ...value })) as object;
  let rate = 0;
  const answer = (program: string, inputs: Inputs): object => {
    const [, kind, numbers] = /^(step of stitch|stitch|sweep of stitches) ([\d,]+)/.exec(program) ?? [];
    const ids = numbers?.split(',').map(Number) ?? [];
    if (kind === 'step of stitch') {
      rate = ((inputs['rate'] as Value).storage as NdArray).data[0]!;
      const { loss, saliency = 0, teacherLoss = 0, labelLoss = loss } = step!(ids[0]!, rate, inputs);
      return { state: copied(inputs['state']), measures: put(scalars(loss, saliency, teacherLoss, labelLoss)) };
    }
    if (kind === 'stitch') {
      const right = correct!(ids[0]!);
      const images = [0, 1, 2, 3, 4];
      return {
        correct: put(scalars(...images.map((image) => (image < right ? 1 : 0)))),
        sums: put(scalars(...images.map(() => right))),
      };
    }
    if (kind !== undefined) {
      const right = scalars(...ids.map((id) => correct!(id)));
      return { correct: put(right), sums: put(right) };
    }
    if (program.startsWith('learning teacher')) {
      return { state: copied(inputs['state']), logits: put(scalars(0)), loss: put(scalars(0)) };
    }
    return other!(program, inputs);
  };
  const compile = (program: string) => async (inputs: Inputs) => {
    ran.push(program);
    return answer(program, inputs);
  };
  return {
    ...{
      name: 'onnxruntime',
      device: 'host',
      precision: 'float32',
      ran,
      live,
      copied,
      put,
      compile: compile as unknown as Engine['compile'],
    },
    get: async ({ storage }) => storage as NdArray,
    free: (tree) => {
      for (const { leaf } of leavesOf(tree, isValue)) live.delete(leaf);
    },
    dispose: async () => {},
  };
}

/**
 * The miniature network with FLOPs that are easy to put into bins: [0, 2] and [3, 4, 5], and the largest anchor 1.
 */
export function hostNetwork(engine: Engine, adaptation: TrialNetwork['network']['adaptation'] = pst): TrialNetwork {
  const flops = [10, 60, 20, 30, 40, 50];
  return {
    ...{ space, network: networkOf(adaptation), frozen: toDevice(engine, frozenNetwork()), teacher, flops },
    ...{ bins: flopsBins(flops, teacher.id, { count: 2 }), startErrors: [], start: {} },
  };
}

/** Epochs of two batches of five images; an image is its number in its batch. */
export function hostLoader(batchesPerEpoch = 2): BatchLoader {
  const loader: Pick<BatchLoader, 'batches' | 'batchesPerEpoch'> = {
    batchesPerEpoch,
    async *batches({ epoch = 0, index = 0, epochs = 1 } = {}) {
      for (let step = epoch * batchesPerEpoch + index; step < (epoch + epochs) * batchesPerEpoch; step++) {
        const images = scalars(0, 1, 2, 3, 4);
        yield {
          ...{ epoch: Math.floor(step / batchesPerEpoch), index: step % batchesPerEpoch, images },
          ...{ labels: int32([5]), indices: [0, 1, 2, 3, 4] },
        };
      }
    },
  };
  return loader as BatchLoader;
}

/** A context that notes which images are asked for, and which epochs are done. */
export function hostContext(engine: Engine, trialFolder: string) {
  const splits: string[] = [];
  const epochs: [done: number, rate: number][] = [];
  const told: string[] = [];
  const labels: string[] = [];
  const loaderOf = (split: string) => {
    splits.push(split);
    return hostLoader();
  };
  const context = {
    ...{ engine, trialFolder, name: 'trial', signal: new AbortController().signal, identity: {} },
    progress: {
      ...silentProgress,
      line: (text: string) => void told.push(text),
      start: (label: string) => void labels.push(label),
    },
    recipe: {
      ...{ seed: 3, choiceSplit: 'validation', testSplit: 'test', checkpointMinutes: 5 },
      ...{ anchors: [{ name: 'Ti' }, { name: 'S' }, { name: 'B' }], images: { batchSize: 5 } },
    },
    data: { training: loaderOf, evaluation: loaderOf, close: async () => {} },
    onEpoch: async (done: number, rate: number) => void epochs.push([done, rate]),
  } as unknown as TrialContext;
  return { context, splits, epochs, told, labels };
}

/** ESTA of two epochs, without a grid and without distillation. */
export function stageOf(changes: Partial<StageRecipe> = {}): StageRecipe {
  return {
    ...{ name: 'stitched', adaptation: pst, sampling: { strategy: 'uniform' }, stitchesPerStep: 1 },
    ...{ importanceMomentum: 0.5, deployment: 'importance', weightDecay: 0 },
    learningRates: [{ base: 0.2, peak: 0.02 }],
    final: { split: 'train+validation', epochs: 2, steps: 4, warmupSteps: 0 },
    testedEpochs: [],
    ...changes,
  };
}
