/** Runs single training steps of stitches on a state that lives on the engine's device. */
import type * as tf from '@tensorflow/tfjs';
import type { Compiled, Engine, Value } from '../engine/engine.js';
import { type Float32NdArray, float32, type Int32NdArray } from '../shared/arrays.js';
import { namedTrainables, trainablesOfNames } from '../stitching/parameters/names.js';
import { trainableShapes } from '../stitching/parameters/shapes.js';
import type { StitchableNetwork } from '../stitching/space/cost.js';
import type { Stitch } from '../stitching/space/stitch.js';
import type { StitchSpace } from '../stitching/space/stitch-space.js';
import { type FrozenNetwork, type FrozenPath, frozenPathOf } from '../stitching/stitchable-network.js';
import {
  type StitchStepInputs,
  type StitchStepOptions,
  type StitchStepOutputs,
  stitchStep,
  teacherStep,
} from './stitch-step.js';
import { type DeviceState, mapState, pick, replaceValues } from './training-state.js';

/** The network that steps run on. */
export interface StitchedNetwork {
  readonly space: Pick<StitchSpace, 'stitches' | 'stitchingLayers'>;
  readonly network: StitchableNetwork;
  readonly frozen: FrozenNetwork<Value>;
  /** The largest anchor: teacher of in-place distillation. */
  readonly teacher: Stitch;
}

export interface StepMeasures {
  readonly loss: number;
  /** 0 where it is not measured. */
  readonly saliency: number;
  /** Cross-entropy of the teacher; undefined in steps without one. */
  readonly teacherLoss: number | undefined;
  /** Cross-entropy of the stitch with the labels, whatever it learns from. */
  readonly labelLoss: number;
}

/**
 * @param images [batch, side, side, 3]
 * @param labels [batch]
 * @param rate learning rate
 */
export type RunStep = (id: number, images: Float32NdArray, labels: Int32NdArray, rate: number) => Promise<StepMeasures>;

/** What a step on one stitch needs, found once. */
interface PreparedStitch {
  readonly frozen: FrozenPath<Value>;
  /** Whether the largest anchor teaches it. */
  readonly isTaught: boolean;
  /** Trainables of the stitch, and of its teacher. */
  readonly names: readonly string[];
  readonly step: Compiled<StitchStepInputs<tf.Tensor>, StitchStepOutputs<tf.Tensor>>;
}

/** Steps replace the values of `state` that they train; all others stay the same values. */
export function stepRunner(
  engine: Engine,
  { space, network, frozen, teacher }: StitchedNetwork,
  state: DeviceState,
  options: Omit<StitchStepOptions, 'architectures'>,
): RunStep {
  const stepOptions: StitchStepOptions = { ...options, architectures: network.anchors };
  // Programs of other options are other programs, though their inputs look the same.
  const settings = JSON.stringify(options);
  const namesOf = (stitch: Stitch) => Object.keys(namedTrainables(trainableShapes(stitch, network)));
  const teaching = {
    frozen: frozenPathOf(frozen, [teacher]),
    names: namesOf(teacher),
    step: engine.compile('teacher', teacherStep(teacher, stepOptions)),
  };
  const prepare = (stitch: Stitch): PreparedStitch => {
    const isTaught = options.distillation !== undefined && stitch.id !== teacher.id;
    const own = trainableShapes(stitch, network);
    const names = namesOf(stitch);
    return {
      frozen: frozenPathOf(frozen, [stitch]),
      isTaught,
      names: isTaught ? [...new Set([...names, ...teaching.names])] : names,
      step: engine.compile(`step of stitch ${stitch.id} ${settings}`, stitchStep(stitch, own, stepOptions)),
    };
  };
  const preparedStitches = new Map<number, PreparedStitch>();

  return async (id, images, labels, rate) => {
    const prepared = preparedStitches.get(id) ?? prepare(space.stitches[id]!);
    preparedStitches.set(id, prepared);
    const { names, isTaught } = prepared;
    const batch = { images: engine.put(images), labels: engine.put(labels) };
    const teach = () => {
      const parameters = trainablesOfNames(pick(state.parameters, teaching.names));
      return teaching.step({ frozen: teaching.frozen, parameters, ...batch });
    };
    const taught = isTaught ? await teach() : undefined;
    const given = {
      ...batch,
      state: mapState(state, (values) => trainablesOfNames(pick(values, names))),
      rate: engine.put(float32([], Float32Array.of(rate))),
      ...(taught && { teacher: taught }),
    };
    const result = await prepared.step({ frozen: prepared.frozen, ...given });
    engine.free(given);
    replaceValues(state, mapState(result.state, namedTrainables));
    const [loss, saliency, teacherLoss, labelLoss] = (await engine.get(result.measures)).data;
    engine.free(result.measures);
    return { loss: loss!, saliency: saliency!, teacherLoss: isTaught ? teacherLoss : undefined, labelLoss: labelLoss! };
  };
}
