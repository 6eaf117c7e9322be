/** Runs training steps of stitches, one or several on a batch, on a state that lives on the engine's device. */
import type * as tf from '@tensorflow/tfjs';
import type { PixelImages } from '../data/batches/pixel-images.js';
import type { Compiled, Engine, Value } from '../engine/engine.js';
import { float32, type Int32NdArray, type NdArray } from '../shared/arrays.js';
import { namedTrainables, trainablesOfNames } from '../stitching/parameters/names.js';
import { trainableShapes } from '../stitching/parameters/shapes.js';
import type { Trainables } from '../stitching/parameters/trainables.js';
import type { StitchableNetwork } from '../stitching/space/cost.js';
import type { Stitch } from '../stitching/space/stitch.js';
import type { StitchSpace } from '../stitching/space/stitch-space.js';
import { type FrozenNetwork, type FrozenPath, frozenPathOf } from '../stitching/stitchable-network.js';
import { imagesOnDevice } from './images/on-device.js';
import {
  type Lesson,
  learningTeacherStep,
  type StitchStepInputs,
  type StitchStepOptions,
  type StitchStepOutputs,
  stitchStep,
  type TeacherOutputs,
  teacherStep,
} from './stitch-step.js';
import { type DeviceState, mapState, pick, replaceValues, type StepState } from './training-state.js';

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
 * A step of one stitch: it and its teacher move at once, by the sum of their gradients (the paper). A step of several: the
 * teacher moves first, then one stitch after another, each from what the teacher said before it moved.
 * @param ids of the stitches, at least one
 * @param images [batch, side, side, 3], normalised or bytes, or tokens int32 [batch, length]
 * @param labels [batch], of tokens [batch, length]
 * @param rate learning rate
 * @param kept int32 [kept]: tokens that are not dropped; left out: all
 * @returns what was measured, stitch by stitch
 */
export type RunStep = (
  ids: readonly number[],
  images: NdArray | PixelImages,
  labels: Int32NdArray,
  rate: number,
  kept?: Int32NdArray,
) => Promise<StepMeasures[]>;

/** What a step on one stitch needs, found once. */
interface PreparedStitch {
  readonly frozen: FrozenPath<Value>;
  /** Whether the largest anchor teaches it. */
  readonly isTaught: boolean;
  /** Of its trainables. */
  readonly names: readonly string[];
  readonly step: Compiled<StitchStepInputs<tf.Tensor>, StitchStepOutputs<tf.Tensor>>;
}

/** Inputs of all programs of a step. */
interface StepBatch {
  readonly images: Value;
  readonly labels: Value;
  readonly rate: Value;
  readonly kept?: Value;
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
    learn: engine.compile(`learning teacher ${settings}`, learningTeacherStep(teacher, stepOptions)),
  };
  const prepare = (stitch: Stitch): PreparedStitch => ({
    frozen: frozenPathOf(frozen, [stitch]),
    isTaught: options.distillation !== undefined && stitch.id !== teacher.id,
    names: namesOf(stitch),
    step: engine.compile(
      `step of stitch ${stitch.id} ${settings}`,
      stitchStep(stitch, trainableShapes(stitch, network), stepOptions),
    ),
  });
  const preparedStitches = new Map<number, PreparedStitch>();
  const preparedOf = (id: number) => {
    const prepared = preparedStitches.get(id) ?? prepare(space.stitches[id]!);
    preparedStitches.set(id, prepared);
    return prepared;
  };
  const stateOf = (names: readonly string[]) => mapState(state, (values) => trainablesOfNames(pick(values, names)));
  /** Frees what a program was given of the state, and puts what it gave in its place. */
  const replace = (given: object, stepped: StepState<Trainables<Value>>) => {
    engine.free(given);
    replaceValues(state, mapState(stepped, namedTrainables));
  };

  /** The teacher's answers and gradients: it learns together with the stitch that it teaches. */
  const teach = ({ rate: _, ...batch }: StepBatch): Promise<TeacherOutputs<Value>> => {
    const parameters = trainablesOfNames(pick(state.parameters, teaching.names));
    return teaching.step({ frozen: teaching.frozen, parameters, ...batch });
  };
  /** The teacher's answers: it learns at once. */
  const learn = async (batch: StepBatch): Promise<Lesson<Value>> => {
    const before = stateOf(teaching.names);
    const { state: stepped, ...lesson } = await teaching.learn({ frozen: teaching.frozen, state: before, ...batch });
    replace(before, stepped);
    return lesson;
  };
  const step = async (
    { frozen, names, step }: PreparedStitch,
    batch: StepBatch,
    lesson: StitchStepInputs<Value>['teacher'],
  ): Promise<StepMeasures> => {
    const moved = lesson?.gradients ? [...new Set([...names, ...teaching.names])] : names;
    const before = stateOf(moved);
    const result = await step({ frozen, state: before, ...batch, ...(lesson && { teacher: lesson }) });
    replace(before, result.state);
    const [loss, saliency, teacherLoss, labelLoss] = (await engine.get(result.measures)).data;
    engine.free(result.measures);
    return { loss: loss!, saliency: saliency!, teacherLoss: lesson ? teacherLoss : undefined, labelLoss: labelLoss! };
  };

  return async (ids, images, labels, rate, kept) => {
    const stitches = ids.map(preparedOf);
    const batch = {
      images: await imagesOnDevice(engine, images),
      labels: engine.put(labels),
      rate: engine.put(float32([], Float32Array.of(rate))),
      ...(kept && { kept: engine.put(kept) }),
    };
    const isTaught = stitches.some((stitch) => stitch.isTaught);
    const lesson = isTaught ? await (stitches.length === 1 ? teach(batch) : learn(batch)) : undefined;
    const measures: StepMeasures[] = [];
    for (const stitch of stitches) measures.push(await step(stitch, batch, stitch.isTaught ? lesson : undefined));
    engine.free({ ...batch, ...lesson });
    return measures;
  };
}
