/**
 * One stream of the card for all programs: they are computed in the order in which they were queued, so that a program is queued while the
 * one before it still computes. Each with a stream of its own would have to wait for the end of the other.
 */
import koffi from '../../koffi.js';
import type { Handle, NativeApi } from './api.js';

/** Of CUDA's runtime, which the provider has loaded. */
const libraries = ['libcudart.so.13', 'libcudart.so.12'];

/** cudaStreamNonBlocking: nothing waits for the default stream. */
const nonBlocking = 1;

/** @throws Error where CUDA's runtime is not there */
export function createStream(): Handle {
  const made = new BigUint64Array(1);
  const create = runtime().func('cudaStreamCreateWithFlags', 'int', ['void *', 'uint32_t']);
  const status: number = create(made, nonBlocking);
  if (status !== 0) throw new Error(`CUDA made no stream: error ${status}`);
  return made[0]!;
}

function runtime(): ReturnType<typeof koffi.load> {
  try {
    return koffi.load(libraries[0]!);
  } catch {
    return koffi.load(libraries[1]!);
  }
}

/** OrtRunOptions of a run that ends when all is queued. */
export function queueing(api: NativeApi): Handle {
  const options = api.make('createRunOptions');
  api.call('addRunConfigEntry', options, 'disable_synchronize_execution_providers', '1');
  return options;
}
