/** Runs single training steps of stitches on a state that lives on the engine's device. */
import type * as tf from '@tensorflow/tfjs';
import type { Compiled, Engine, Value } from '../engine/engine.js';
import { type Float32NdArray, float32, type Int32NdArray } from '../shared/arrays.js';
import { trainablesOf } from '../stitching/parameters/trainables.js';
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
import { type DeviceState, pick } from './training-state.js';

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
  const namesOf = (stitch: Stitch) => Object.keys(trainablesOf(stitch, network));
  const teaching = {
    frozen: frozenPathOf(frozen, [teacher]),
    names: namesOf(teacher),
    step: engine.compile('teacher', teacherStep(teacher, stepOptions)),
  };
  const prepare = (stitch: Stitch): PreparedStitch => {
    const isTaught = options.distillation !== undefined && stitch.id !== teacher.id;
    const own = namesOf(stitch);
    return {
      frozen: frozenPathOf(frozen, [stitch]),
      isTaught,
      names: isTaught ? [...new Set([...own, ...teaching.names])] : own,
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
      const inputs = { frozen: teaching.frozen, parameters: pick(state.parameters, teaching.names), ...batch };
      return teaching.step(inputs);
    };
    const taught = isTaught ? await teach() : undefined;
    const { first, second, updates } = state.moments;
    const replaced = {
      parameters: pick(state.parameters, names),
      moments: { first: pick(first, names), second: pick(second, names), updates: pick(updates, names) },
    };
    const given = {
      ...batch,
      rate: engine.put(float32([], Float32Array.of(rate))),
      ...(taught && { teacher: taught }),
    };
    const inputs = { frozen: prepared.frozen, ...replaced, ...given };
    const result = await prepared.step(inputs);
    engine.free({ ...replaced, ...given });
    Object.assign(state.parameters, result.parameters);
    Object.assign(first, result.moments.first);
    Object.assign(second, result.moments.second);
    Object.assign(updates, result.moments.updates);
    const [loss, saliency, teacherLoss, labelLoss] = (await engine.get(result.measures)).data as Float32Array;
    engine.free(result.measures);
    return { loss: loss!, saliency: saliency!, teacherLoss: isTaught ? teacherLoss : undefined, labelLoss: labelLoss! };
  };
}
