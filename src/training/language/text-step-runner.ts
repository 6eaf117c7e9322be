/** Runs training steps of stitches of language models, each over the micro batches of a step. */
import type * as tf from '@tensorflow/tfjs';
import type { TextBatch } from '../../data/text/batches.js';
import type { Compiled, Engine, Value } from '../../engine/engine.js';
import { toDevice } from '../../engine/transfer.js';
import { float32, sizeOf } from '../../shared/arrays.js';
import type { Random } from '../../shared/random.js';
import { adaptedLayersOf } from '../../stitching/parameters/dropout.js';
import { namedTrainables, trainablesOfNames } from '../../stitching/parameters/names.js';
import { trainableShapes } from '../../stitching/parameters/shapes.js';
import type { Stitch } from '../../stitching/space/stitch.js';
import { type FrozenPath, frozenPathOf } from '../../stitching/stitchable-network.js';
import type { StepMeasures, StitchedNetwork } from '../step-runner.js';
import { type StitchStepOptions, teacherStep } from '../stitch-step.js';
import { type DeviceState, mapState, pick, replaceValues } from '../training-state.js';
import {
  type GradientInputs,
  type GradientSums,
  type MoveOptions,
  movedByMeans,
  summedGradients,
} from './accumulated-step.js';
import { drawKeys } from './dropout-keys.js';

export type TextStepOptions = Omit<StitchStepOptions, 'architectures'> & MoveOptions;

/**
 * A step of one stitch and of its teacher, by the mean of their gradients over all micro batches.
 * @param id of the stitch
 * @param rate learning rate
 * @param random draws what is dropped, if anything is
 */
export type RunTextStep = (
  id: number,
  parts: readonly TextBatch[],
  rate: number,
  random: Random,
) => Promise<StepMeasures>;

interface PreparedStitch {
  readonly stitch: Stitch;
  readonly frozen: FrozenPath<Value>;
  readonly isTaught: boolean;
  /** Of its trainables. */
  readonly names: readonly string[];
  readonly gradients: Compiled<GradientInputs<tf.Tensor>, GradientSums<tf.Tensor>>;
}

/** Steps replace the values of `state` that they train; all others stay the same values. */
export function textStepRunner(
  engine: Engine,
  { space, network, frozen, teacher }: StitchedNetwork,
  state: DeviceState,
  options: TextStepOptions,
): RunTextStep {
  const settings = JSON.stringify(options);
  const architectures = network.anchors;
  const namesOf = (stitch: Stitch) => Object.keys(namedTrainables(trainableShapes(stitch, network)));
  const teaching = {
    frozen: frozenPathOf(frozen, [teacher]),
    names: namesOf(teacher),
    teach: engine.compile(`teacher ${options.dropout ?? 0}`, teacherStep(teacher, { ...options, architectures })),
  };
  const prepared = new Map<number, PreparedStitch>();
  const preparedOf = (id: number): PreparedStitch => {
    const known = prepared.get(id);
    if (known) return known;
    const stitch = space.stitches[id]!;
    const made: PreparedStitch = {
      stitch,
      frozen: frozenPathOf(frozen, [stitch]),
      isTaught: options.distillation !== undefined && id !== teacher.id,
      names: namesOf(stitch),
      gradients: engine.compile(
        `gradients of stitch ${id} ${settings}`,
        summedGradients(stitch, { ...options, architectures }),
      ),
    };
    prepared.set(id, made);
    return made;
  };
  const move = engine.compile(`move by means ${settings}`, movedByMeans(options));
  const parametersOf = (names: readonly string[]) => trainablesOfNames(pick(state.parameters, names));

  const dropoutOf = (stitch: Stitch, { ids }: TextBatch, random: Random) => {
    if (!options.dropout) return {};
    const { layers, columns } = adaptedLayersOf(stitch, architectures);
    return { dropout: toDevice(engine, drawKeys(random, layers, sizeOf(ids.shape), columns)) };
  };

  const addPart = async (
    stitch: PreparedStitch,
    part: TextBatch,
    before: GradientSums<Value> | undefined,
    random: Random,
  ) => {
    const batch = { images: engine.put(part.ids), labels: engine.put(part.labels) };
    const drawn = { teacher: stitch.isTaught ? dropoutOf(teacher, part, random) : {} };
    const lesson = stitch.isTaught
      ? await teaching.teach({
          frozen: teaching.frozen,
          parameters: parametersOf(teaching.names),
          ...batch,
          ...drawn.teacher,
        })
      : undefined;
    const own = dropoutOf(stitch.stitch, part, random);
    const sums = await stitch.gradients({
      frozen: stitch.frozen,
      parameters: parametersOf(stitch.names),
      ...batch,
      ...own,
      ...(lesson && { teacher: lesson }),
      ...(before && { before }),
    });
    engine.free([batch, drawn, own, lesson ?? {}, before ?? {}]);
    return sums;
  };

  return async (id, parts, rate, random) => {
    const stitch = preparedOf(id);
    let sums: GradientSums<Value> | undefined;
    for (const part of parts) sums = await addPart(stitch, part, sums, random);
    const scalar = (value: number) => engine.put(float32([], Float32Array.of(value)));
    const moved = stitch.isTaught ? [...new Set([...stitch.names, ...teaching.names])] : stitch.names;
    const before = mapState(state, (values) => trainablesOfNames(pick(values, moved)));
    const given = { sums: sums!, rate: scalar(rate), share: scalar(1 / parts.length) };
    const result = await move({ state: before, ...given });
    engine.free({ before, ...given });
    replaceValues(state, mapState(result.state, namedTrainables));
    const [loss, saliency, teacherLoss, labelLoss] = (await engine.get(result.measures)).data;
    engine.free(result.measures);
    return {
      loss: loss!,
      saliency: saliency!,
      teacherLoss: stitch.isTaught ? teacherLoss : undefined,
      labelLoss: labelLoss!,
    };
  };
}
