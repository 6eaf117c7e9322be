/** Programs and values by ONNX Runtime's C API: inputs and results of programs stay on the device. */
import type { NdArray } from '../../../shared/arrays.js';
import type { Backend, LoadedProgram, ProgramSource } from '../programs/backend.js';
import { fromSharedArena, wholly, whollyPlaced } from '../programs/placement.js';
import { nativeApi } from './api.js';
import { CopyPrograms } from './copy-programs.js';
import { NativeMemory, type NativeValue } from './memory.js';
import { NativeSession, type NativeSessionOptions } from './session.js';
import { memoryInfoOf, NativeTensors } from './values.js';

export interface NativeBackendOptions extends Omit<NativeSessionOptions, 'entries'> {
  /** Whether programs compute in the arena that all of them share (shared-arena.ts). */
  readonly sharesArena: boolean;
}

/** @throws Error where the C API does not load, or the device does not compute */
export async function nativeBackend(options: NativeBackendOptions): Promise<Backend<NativeValue>> {
  const { device, sharesArena } = options;
  const api = nativeApi();
  const entries = {
    ...(device !== 'cpu' && wholly.extra.session),
    ...(sharesArena && fromSharedArena),
  };
  const settings = { ...options, entries };
  const copies = new CopyPrograms(api, settings);
  const isHost = device === 'cpu';
  const allocator = isHost
    ? api.make('defaultAllocator')
    : api.make('createAllocator', (await copies.program('float32')).handle, memoryInfoOf(api, 'Cuda'));
  const memory = new NativeMemory(new NativeTensors(api), copies, { allocator, isHost });

  const load = async ({ key, model, inputs, outputs }: ProgramSource): Promise<LoadedProgram<NativeValue>> => {
    const names = { inputs: inputs.map(({ name }) => name), outputs: outputs.map(({ name }) => name) };
    const create = () => NativeSession.create(api, model, names, settings);
    const session = await whollyPlaced(create, { key, device, model, inputs });
    return {
      run: (given) => memory.lend(given, (read) => memory.filled(outputs, (written) => session.run(read, written))),
      release: () => session.release(),
    };
  };

  return {
    keepsValues: true,
    wrap: (array: NdArray, isConstant) => memory.wrap(array, isConstant),
    read: (value) => memory.read(value),
    free: (value) => memory.free(value),
    load,
    dispose: async () => {
      memory.dispose();
      if (!isHost) api.release('allocator', allocator);
      await copies.dispose();
    },
  };
}
