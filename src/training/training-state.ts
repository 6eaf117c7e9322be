/** What training changes: named tensors and their optimizer moments. */
import type { Engine, Value } from '../engine/engine.js';
import type { Float32NdArray } from '../shared/arrays.js';
import { type Moments, type Named, zeroMoments } from './optimizer.js';

export interface TrainingState<T> {
  readonly parameters: Named<T>;
  readonly moments: Moments<T>;
}

/** A state on an engine's device; steps replace its values one by one. */
export interface DeviceState extends TrainingState<Value> {
  readonly parameters: Record<string, Value>;
  readonly moments: Readonly<Record<keyof Moments<Value>, Record<string, Value>>>;
}

/** The state before the first step. */
export function initialState(parameters: Named<Float32NdArray>): TrainingState<Float32NdArray> {
  return { parameters, moments: zeroMoments(parameters) };
}

export function stateOnDevice(engine: Engine, { parameters, moments }: TrainingState<Float32NdArray>): DeviceState {
  const put = (arrays: Named<Float32NdArray>) =>
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, engine.put(array)]));
  const { first, second, updates } = moments;
  return { parameters: put(parameters), moments: { first: put(first), second: put(second), updates: put(updates) } };
}

/** The values of `names`, by name. */
export function pick<T>(values: Named<T>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, values[name]!]));
}
