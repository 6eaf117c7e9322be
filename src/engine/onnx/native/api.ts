/**
 * ONNX Runtime's C API, called by koffi in the library that onnxruntime-node has loaded: what onnxruntime-node has no call for.
 *
 * Numbers are places in the struct OrtApi (onnxruntime_c_api.h), which only grows at its end: they are those of every version.
 */
import path from 'node:path';
import koffi from '../../koffi.js';
import * as ort from '../runtime.js';

const pointer = 'void *';

/** Place and parameters; each returns an OrtStatus, NULL where it has succeeded. What a function makes is written to its last one. */
const statusFunctions = {
  createEnv: [3, 'int', 'str', pointer],
  createSessionFromArray: [8, pointer, pointer, 'size_t', pointer, pointer],
  run: [9, pointer, pointer, pointer, pointer, 'size_t', pointer, 'size_t', pointer],
  createSessionOptions: [10, pointer],
  disableMemPattern: [17, pointer],
  disableCpuMemArena: [19, pointer],
  setLogSeverity: [22, pointer, 'int'],
  setGraphOptimization: [23, pointer, 'int'],
  setIntraOpThreads: [24, pointer, 'int'],
  setInterOpThreads: [25, pointer, 'int'],
  createTensor: [48, pointer, pointer, 'size_t', 'int', pointer],
  createTensorWithData: [49, pointer, pointer, 'size_t', pointer, 'size_t', 'int', pointer],
  createMemoryInfo: [68, 'str', 'int', 'int', 'int', pointer],
  defaultAllocator: [78, pointer],
  addConfigEntry: [130, pointer, 'str', 'str'],
  createAllocator: [131, pointer, pointer, pointer],
  createArenaConfiguration: [156, 'size_t', 'int', 'int', 'int', pointer],
  appendCuda: [204, pointer, pointer],
  createCudaOptions: [205, pointer],
  updateCudaOptions: [206, pointer, pointer, pointer, 'size_t'],
  registerAllocator: [259, pointer, 'str', pointer, pointer, pointer, pointer, 'size_t'],
  addFilesInMemory: [279, pointer, pointer, pointer, pointer, 'size_t'],
} as const;

const releaseFunctions = {
  status: 93,
  memoryInfo: 94,
  session: 95,
  value: 96,
  sessionOptions: 100,
  allocator: 132,
  arenaConfiguration: 157,
  cudaOptions: 208,
} as const;

const errorMessagePlace = 2;

/** Places in OrtApi that are read. */
const places =
  1 + Math.max(...Object.values(statusFunctions).map(([place]) => place), ...Object.values(releaseFunctions));

/** A handle of ONNX Runtime, an address. */
export type Handle = bigint;
/** For an array, C gets the address of its elements. */
type Argument = Handle | number | string | null | ArrayBufferView;

export interface NativeApi {
  /** The environment of the process, which onnxruntime-node has made. */
  readonly env: Handle;
  /** @throws Error with ONNX Runtime's message */
  call(name: keyof typeof statusFunctions, ...given: readonly Argument[]): void;
  /** As `call`; gives what the function writes to its last parameter. */
  make(name: keyof typeof statusFunctions, ...given: readonly Argument[]): Handle;
  /** As `call`, on another thread. Arrays that are given stay where they are meanwhile. */
  callAside(name: keyof typeof statusFunctions, ...given: readonly Argument[]): Promise<void>;
  release(kind: keyof typeof releaseFunctions, handle: Handle): void;
}

/** The API of a library. Call it after onnxruntime-node has started. @throws where it cannot be loaded */
function openApi(library: string, version: number): NativeApi {
  const base: unknown = koffi.load(library).func('OrtGetApiBase', pointer, [])();
  const [getApi] = koffi.decode(base, pointer, 2) as Handle[];
  const api: unknown = koffi.call(getApi, koffi.proto(pointer, ['uint32_t']), version);
  if (!api) throw new Error(`${library} has no C API of version ${version}`);
  const table = koffi.decode(api, pointer, places) as Handle[];
  const at = (place: number, result: string, parameters: readonly string[]) =>
    koffi.decode(table[place], koffi.proto(result, [...parameters]));
  const functions = mapped(statusFunctions, ([place, ...parameters]) => at(place, pointer, parameters));
  const releases = mapped(releaseFunctions, (place) => at(place, 'void', [pointer]));
  const errorMessage = at(errorMessagePlace, 'str', [pointer]);

  const check = (status: Handle | null) => {
    if (!status) return;
    const message = String(errorMessage(status));
    releases.status(status);
    throw new Error(message);
  };
  const made = new BigUint64Array(1);
  const self: NativeApi = {
    env: 0n,
    call: (name, ...given) => check(functions[name](...given)),
    make: (name, ...given) => {
      made[0] = 0n;
      check(functions[name](...given, made));
      return made[0];
    },
    callAside: (name, ...given) =>
      new Promise<void>((resolve, reject) => {
        const kept = [...given];
        const passed = given.map((each) => (ArrayBuffer.isView(each) ? addressOf(each) : each));
        functions[name].async(...passed, (error: unknown, status: Handle | null) => {
          kept.length = 0; // until now nobody else may have referred to the arrays
          try {
            if (error) throw error;
            check(status);
            resolve();
          } catch (failure) {
            reject(failure);
          }
        });
      }),
    release: (kind, handle) => releases[kind](handle),
  };
  return { ...self, env: self.make('createEnv', 3, 'esta') };
}

function mapped<Table extends object, To>(table: Table, change: (entry: Table[keyof Table]) => To) {
  return Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, change(entry)])) as Record<
    keyof Table,
    To
  >;
}

let opened: NativeApi | undefined;

/** The API of the ONNX Runtime of this process. @throws where it cannot be loaded */
export function nativeApi(): NativeApi {
  opened ??= openApi(
    path.join(ort.packageFolder, 'bin', 'napi-v6', process.platform, process.arch, 'libonnxruntime.so.1'),
    Number((ort.env.versions.node ?? '').split('.')[1]),
  );
  return opened;
}

/** Where the elements of an array are, as long as somebody refers to it. */
function addressOf(array: ArrayBufferView): Handle {
  return koffi.address(array);
}

/** Addresses of arrays as C takes them, `char **`. Keep the arrays as long as these are used. */
export function addressesOf(arrays: readonly Uint8Array[]): BigUint64Array {
  return BigUint64Array.from(arrays, addressOf);
}

/** Texts as C takes them, `char **`. Keep it as long as its addresses are used. */
export class TextList {
  readonly addresses: BigUint64Array;
  private readonly texts: readonly Buffer[];

  constructor(texts: readonly string[]) {
    this.texts = texts.map((text) => Buffer.from(`${text}\0`));
    this.addresses = addressesOf(this.texts);
  }
}
