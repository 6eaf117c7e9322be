/** Training state on disk: parameters and moments as one safetensors file, everything else as JSON in its metadata. */
import type { Engine, Value } from '../engine/engine.js';
import { toHost } from '../engine/transfer.js';
import { readSafetensors, writeSafetensors } from '../models/pretrained/formats/safetensors.js';
import type { Float32NdArray, StateDict } from '../shared/arrays.js';
import { RequestError } from '../shared/errors.js';
import { exists } from '../shared/files.js';
import { differencesOf } from '../shared/identity/differences.js';
import type { Named, TrainingState } from './training-state.js';

/**
 * A version of the program reads its own checkpoints. Version 1 had neither number nor sums by measure; the identity of
 * version 2 was a hash, which cannot be compared with what is asked for.
 */
const checkpointVersion = '3';

/**
 * @param fingerprint what the state depends on, as JSON: a checkpoint of another one is refused when it is restored
 * @param rest all that is not tensors, as JSON
 */
export async function saveCheckpoint(
  engine: Engine,
  file: string,
  fingerprint: string,
  state: TrainingState<Value>,
  rest: string,
): Promise<void> {
  const tensors: StateDict = {};
  for (const [group, values] of Object.entries(groupsOf(state))) {
    Object.assign(tensors, prefixed(`${group}:`, await toHost(engine, values)));
  }
  const metadata = { version: checkpointVersion, identity: fingerprint, position: rest };
  await writeSafetensors(file, tensors, { metadata });
}

/**
 * Undefined when there is no checkpoint.
 * @throws RequestError for a file that is damaged, or was written by a training with other settings or by another version
 */
export async function restoreCheckpoint(
  file: string,
  fingerprint: string,
): Promise<{ state: TrainingState<Float32NdArray>; rest: string } | undefined> {
  if (!(await exists(file))) return undefined;
  const { tensors, metadata } = await readCheckpoint(file);
  if (metadata['version'] !== checkpointVersion) {
    throw new RequestError(
      `${file} was written by another version of esta`,
      'Finish the run with that version, or delete the file to train this stage from its beginning.',
    );
  }
  if (metadata['identity'] !== fingerprint) {
    const differences = differencesOf(JSON.parse(metadata['identity'] ?? '{}'), JSON.parse(fingerprint));
    throw new RequestError(
      `${file} was written by a training with other settings:\n  ${differences.join('\n  ')}`,
      'Restore the settings, choose another folder, or delete the file to begin again.',
    );
  }
  const group = (prefix: string): StateDict => {
    const entries = Object.entries(tensors).filter(([name]) => name.startsWith(`${prefix}:`));
    return Object.fromEntries(entries.map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]));
  };
  const optimizer = { expAvg: group('first'), expAvgSq: group('second'), step: group('updates') };
  return { state: { parameters: group('parameters'), optimizer }, rest: metadata['position']! };
}

async function readCheckpoint(file: string): ReturnType<typeof readSafetensors> {
  try {
    return await readSafetensors(file);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new RequestError(
      `the checkpoint of this training is damaged: ${error.message}`,
      `Delete ${file} to train this stage from its beginning; finished trials and stages are kept.`,
    );
  }
}

function prefixed(prefix: string, arrays: StateDict): StateDict {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [prefix + name, array]));
}

/** The trees of a state by the names that they have in the file. */
function groupsOf<T>({ parameters, optimizer }: TrainingState<T>): Record<string, Named<T>> {
  return { parameters, first: optimizer.expAvg, second: optimizer.expAvgSq, updates: optimizer.step };
}
