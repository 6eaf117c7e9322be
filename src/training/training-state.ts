/** What training changes: parameters, and what the optimizer remembers of each. */
import type { Engine, Value } from '../engine/engine.js';
import { toDevice } from '../engine/transfer.js';
import { type Float32NdArray, float32 } from '../shared/arrays.js';
import type { AdamWState } from './optimizer.js';

export type Named<T> = Readonly<Record<string, T>>;

/** The state that a step changes, as trees of one form. */
export interface StepState<Tree> {
  readonly parameters: Tree;
  readonly optimizer: AdamWState<Tree>;
}

/** The state of a whole training: every tensor by its name, as files hold it. */
export type TrainingState<T> = StepState<Named<T>>;

/** A state on an engine's device; steps replace its values one by one. */
export type DeviceState = StepState<Record<string, Value>>;

/** The state before the first step. */
export function initialState(parameters: Named<Float32NdArray>): TrainingState<Float32NdArray> {
  const zeros = (shapeOf: (parameter: Float32NdArray) => readonly number[]) =>
    Object.fromEntries(Object.entries(parameters).map(([name, parameter]) => [name, float32(shapeOf(parameter))]));
  const likeParameters = () => zeros(({ shape }) => shape);
  return { parameters, optimizer: { expAvg: likeParameters(), expAvgSq: likeParameters(), step: zeros(() => []) } };
}

export function stateOnDevice(engine: Engine, state: TrainingState<Float32NdArray>): DeviceState {
  return mapState(state, (arrays): Record<string, Value> => toDevice(engine, arrays));
}

/** Changes each of the trees of a state. */
export function mapState<From, To>(
  { parameters, optimizer: { expAvg, expAvgSq, step } }: StepState<From>,
  change: (tree: From) => To,
): StepState<To> {
  const optimizer = { expAvg: change(expAvg), expAvgSq: change(expAvgSq), step: change(step) };
  return { parameters: change(parameters), optimizer };
}

/** Replaces values of a state by those of `stepped`. */
export function replaceValues(state: DeviceState, stepped: TrainingState<Value>): void {
  Object.assign(state.parameters, stepped.parameters);
  Object.assign(state.optimizer.expAvg, stepped.optimizer.expAvg);
  Object.assign(state.optimizer.expAvgSq, stepped.optimizer.expAvgSq);
  Object.assign(state.optimizer.step, stepped.optimizer.step);
}

/** The values of `names`, by name. */
export function pick<T>(values: Named<T>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, values[name]!]));
}
