/** Training state on disk: parameters and moments as one safetensors file, everything else as text in its metadata. */
import { stat } from 'node:fs/promises';
import type { Engine, Value } from '../engine/engine.js';
import { readSafetensors, writeSafetensors } from '../models/checkpoint/safetensors.js';
import type { Float32NdArray, StateDict } from '../shared/arrays.js';
import { RequestError } from '../shared/errors.js';
import type { Moments, Named } from '../training/optimizer.js';

export interface TrainingState<T> {
  readonly parameters: Named<T>;
  readonly moments: Moments<T>;
}

/** @param identity what the state depends on: a checkpoint of another identity is refused when it is restored */
export async function saveCheckpoint(
  engine: Engine,
  file: string,
  identity: string,
  state: TrainingState<Value>,
  rest: Readonly<Record<string, string>>,
): Promise<void> {
  const tensors: StateDict = {};
  for (const [group, values] of Object.entries(groupsOf(state))) {
    for (const [name, value] of Object.entries(values)) {
      tensors[`${group}:${name}`] = (await engine.get(value)) as Float32NdArray;
    }
  }
  await writeSafetensors(file, tensors, { metadata: { ...rest, identity } });
}

/** Undefined when there is no checkpoint. */
export async function restoreCheckpoint(
  file: string,
  identity: string,
): Promise<{ state: TrainingState<Float32NdArray>; rest: Record<string, string> } | undefined> {
  if (!(await stat(file).catch(() => undefined))) return undefined;
  const { tensors, metadata } = await readSafetensors(file);
  if (metadata['identity'] !== identity) {
    throw new RequestError(
      `${file} was written by a training with other settings`,
      'Restore the settings, choose another folder, or delete the file to begin again.',
    );
  }
  const group = (prefix: string): StateDict => {
    const entries = Object.entries(tensors).filter(([name]) => name.startsWith(`${prefix}:`));
    return Object.fromEntries(entries.map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]));
  };
  const moments = { first: group('first'), second: group('second'), updates: group('updates') };
  return { state: { parameters: group('parameters'), moments }, rest: metadata };
}

function groupsOf<T>({ parameters, moments }: TrainingState<T>): Record<string, Named<T>> {
  return { parameters, first: moments.first, second: moments.second, updates: moments.updates };
}

/** Moves a state to the engine's device. */
export function stateOnDevice(
  engine: Engine,
  { parameters, moments }: TrainingState<Float32NdArray>,
): {
  parameters: Record<string, Value>;
  moments: { first: Record<string, Value>; second: Record<string, Value>; updates: Record<string, Value> };
} {
  const put = (arrays: Named<Float32NdArray>) =>
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, engine.put(array)]));
  const { first, second, updates } = moments;
  return { parameters: put(parameters), moments: { first: put(first), second: put(second), updates: put(updates) } };
}
