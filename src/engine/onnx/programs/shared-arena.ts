/**
 * One arena of device memory for all programs of a process. A session of onnxruntime has an arena of its own, which keeps what
 * its largest run needed: at ViT-B and 64 images 6 GB for each stitch. ONNX Runtime can share one among sessions, but
 * onnxruntime-node has no call for it: its library is asked directly, by koffi, through the C API that it exports.
 *
 * Numbers of functions are places in the struct OrtApi (onnxruntime_c_api.h), which only grows at its end.
 */
import path from 'node:path';
import koffi from 'koffi';
import { messageOf } from '../../../shared/errors.js';

const functions = {
  errorMessage: [2, 'const char *GetErrorMessage(void *status)'],
  createEnv: [3, 'void *CreateEnv(int level, const char *name, _Out_ void **env)'],
  createMemoryInfo: [68, 'void *CreateMemoryInfo(const char *name, int type, int id, int memory, _Out_ void **info)'],
  createArenaConfiguration: [
    156,
    'void *CreateArenaCfg(size_t limit, int strategy, int first, int dead, _Out_ void **configuration)',
  ],
  registerAllocator: [
    259,
    'void *CreateAndRegisterAllocatorV2(void *env, const char *provider, void *info, void *configuration, void *keys, void *values, size_t count)',
  ],
} as const;

/** OrtAllocatorType, OrtMemType. */
const [arenaAllocator, defaultMemory] = [1, 0];

/** Places in OrtApi that are read. */
const places = Math.max(...Object.values(functions).map(([place]) => place)) + 1;

export type ArenaDevice = 'cuda' | 'cpu';
const devices = {
  cuda: { provider: 'CUDAExecutionProvider', memory: 'Cuda' },
  cpu: { provider: 'CPUExecutionProvider', memory: 'Cpu' },
} as const;

const shared = new Map<ArenaDevice, string | undefined>();

/** Session options of a program that takes its memory from the shared arena, and its constants from the device itself. */
export const fromSharedArena = { use_env_allocators: '1', use_device_allocator_for_initializers: '1' } as const;

/**
 * Makes the arena, once in a process. Call it after onnxruntime-node has started.
 * @param packageFolder of the onnxruntime-node that this process uses
 * @param version its version, e.g. 1.29.0
 * @returns why there is none; undefined where there is one
 */
export function shareArena(device: ArenaDevice, packageFolder: string, version: string): string | undefined {
  if (!shared.has(device)) {
    const library = path.join(packageFolder, 'bin', 'napi-v6', process.platform, process.arch, 'libonnxruntime.so.1');
    shared.set(device, register(device, library, Number(version.split('.')[1])));
  }
  return shared.get(device);
}

/** koffi takes a name once. */
const prototypes = new Map<string, ReturnType<typeof koffi.proto>>();

function prototypeOf(declaration: string): ReturnType<typeof koffi.proto> {
  const prototype = prototypes.get(declaration) ?? koffi.proto(declaration);
  prototypes.set(declaration, prototype);
  return prototype;
}

function register(device: ArenaDevice, library: string, apiVersion: number): string | undefined {
  try {
    const base: unknown = koffi.load(library).func('void *OrtGetApiBase()')();
    const [getApi] = koffi.decode(base, 'void *', 2) as unknown[];
    const api: unknown = koffi.call(getApi, prototypeOf('void *GetApi(uint32_t version)'), apiVersion);
    const table = koffi.decode(api, 'void *', places) as unknown[];
    const call = (name: keyof typeof functions, ...args: unknown[]): unknown => {
      return koffi.call(table[functions[name][0]], prototypeOf(functions[name][1]), ...args);
    };
    const made = (name: keyof typeof functions, ...args: unknown[]): unknown => {
      const out: [unknown] = [null];
      check(call(name, ...args, out));
      return out[0];
    };
    const check = (status: unknown) => {
      if (status) throw new Error(String(call('errorMessage', status)));
    };
    const { provider, memory } = devices[device];
    const env = made('createEnv', 3, 'esta'); // the one of the process, which onnxruntime-node has made
    const info = made('createMemoryInfo', memory, arenaAllocator, 0, defaultMemory);
    const configuration = made('createArenaConfiguration', 0, -1, -1, -1);
    check(call('registerAllocator', env, provider, info, configuration, null, null, 0));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
