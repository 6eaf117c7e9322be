/**
 * What is called of the driver's library (cuda.h). Handles and device addresses are numbers: koffi passes them quicker than bigints.
 * Names with `_v2` are those that cuda.h maps the plain ones to.
 */
import type { LibraryHandle } from 'koffi';
import { TrialError } from '../../../shared/errors.js';

/** CUresult. */
const [success, outOfMemory, notReady] = [0, 2, 600];
/** CUdevice_attribute. */
const computeCapabilityAttributes = [75, 76] as const;

export type Driver = ReturnType<typeof bindDriver>;

/** What a library of the card answers in place of success. */
export class CardError extends Error {}

/** Gives functions that throw where the library answers another status than 0. */
export function declarer(library: LibraryHandle, failure: (name: string, status: number) => Error) {
  return (declaration: string) => {
    const name = /(\w+)\(/.exec(declaration)![1]!;
    const call = library.func(declaration);
    return (...values: unknown[]): void => {
      const status: number = call(...values);
      if (status !== success) throw failure(name, status);
    };
  };
}

export function bindDriver(library: LibraryHandle) {
  const nameOf = library.func('int cuGetErrorName(int status, _Out_ const char **text)');
  const meaningOf = library.func('int cuGetErrorString(int status, _Out_ const char **text)');
  const failure = (name: string, status: number): Error => {
    const [code, meaning] = [[null], [null]] as [[string | null], [string | null]];
    nameOf(status, code);
    meaningOf(status, meaning);
    const message = `the card: ${name} failed: ${code[0] ?? status}${meaning[0] ? ` (${meaning[0]})` : ''}`;
    return status === outOfMemory ? new TrialError(message) : new CardError(message);
  };
  const declare = declarer(library, failure);
  /** For functions that answer "not ready". */
  const declareQuery = (declaration: string) => {
    const [name, call] = [/(\w+)\(/.exec(declaration)![1]!, library.func(declaration)];
    return (handle: number): boolean => {
      const status: number = call(handle);
      if (status !== success && status !== notReady) throw failure(name, status);
      return status === success;
    };
  };
  return {
    init: declare('int cuInit(unsigned int flags)'),
    deviceGet: declare('int cuDeviceGet(_Out_ int *device, int ordinal)'),
    deviceGetName: declare('int cuDeviceGetName(void *name, int length, int device)'),
    deviceGetAttribute: declare('int cuDeviceGetAttribute(_Out_ int *value, int attribute, int device)'),
    primaryContextRetain: declare('int cuDevicePrimaryCtxRetain(_Out_ uintptr_t *context, int device)'),
    primaryContextRelease: declare('int cuDevicePrimaryCtxRelease_v2(int device)'),
    contextSetCurrent: declare('int cuCtxSetCurrent(uintptr_t context)'),

    memoryAllocate: declare('int cuMemAlloc_v2(_Out_ uintptr_t *address, size_t bytes)'),
    memoryFree: declare('int cuMemFree_v2(uintptr_t address)'),
    memoryInfo: declare('int cuMemGetInfo_v2(_Out_ size_t *free, _Out_ size_t *total)'),
    hostAllocate: declare('int cuMemHostAlloc(_Out_ uintptr_t *address, size_t bytes, unsigned int flags)'),
    hostFree: declare('int cuMemFreeHost(uintptr_t address)'),
    copyToDevice: declare('int cuMemcpyHtoDAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, uintptr_t stream)'),
    copyToHost: declare('int cuMemcpyDtoHAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, uintptr_t stream)'),
    copyOnDevice: declare('int cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, uintptr_t stream)'),

    streamCreate: declare('int cuStreamCreate(_Out_ uintptr_t *stream, unsigned int flags)'),
    streamDestroy: declare('int cuStreamDestroy_v2(uintptr_t stream)'),
    streamIsDone: declareQuery('int cuStreamQuery(uintptr_t stream)'),
    streamSynchronize: declare('int cuStreamSynchronize(uintptr_t stream)'),
    eventCreate: declare('int cuEventCreate(_Out_ uintptr_t *event, unsigned int flags)'),
    eventDestroy: declare('int cuEventDestroy_v2(uintptr_t event)'),
    eventRecord: declare('int cuEventRecord(uintptr_t event, uintptr_t stream)'),
    eventIsDone: declareQuery('int cuEventQuery(uintptr_t event)'),
    eventElapsed: declare('int cuEventElapsedTime(_Out_ float *milliseconds, uintptr_t start, uintptr_t end)'),
    eventSynchronize: declare('int cuEventSynchronize(uintptr_t event)'),

    moduleLoad: declare('int cuModuleLoadData(_Out_ uintptr_t *module, const void *image)'),
    moduleUnload: declare('int cuModuleUnload(uintptr_t module)'),
    moduleGetFunction: declare('int cuModuleGetFunction(_Out_ uintptr_t *kernel, uintptr_t module, const char *name)'),
    launchKernel: declare(
      'int cuLaunchKernel(uintptr_t kernel, unsigned int gridX, unsigned int gridY, unsigned int gridZ, unsigned int blockX, unsigned int blockY, unsigned int blockZ, unsigned int sharedBytes, uintptr_t stream, uintptr_t parameters, uintptr_t extra)',
    ),

    beginCapture: declare('int cuStreamBeginCapture_v2(uintptr_t stream, int mode)'),
    endCapture: declare('int cuStreamEndCapture(uintptr_t stream, _Out_ uintptr_t *graph)'),
    graphInstantiate: declare(
      'int cuGraphInstantiateWithFlags(_Out_ uintptr_t *executable, uintptr_t graph, unsigned long long flags)',
    ),
    graphLaunch: declare('int cuGraphLaunch(uintptr_t executable, uintptr_t stream)'),
    graphDestroy: declare('int cuGraphDestroy(uintptr_t graph)'),
    graphExecutableDestroy: declare('int cuGraphExecDestroy(uintptr_t executable)'),
  };
}

export function computeCapabilityOf(driver: Driver, device: number): readonly [major: number, minor: number] {
  const [major, minor] = computeCapabilityAttributes;
  return [made(driver.deviceGetAttribute, major, device), made(driver.deviceGetAttribute, minor, device)];
}

/** The value that a function writes to its first parameter: a handle, an address, a number. */
export function made(call: (...values: unknown[]) => void, ...values: unknown[]): number {
  const out: [number | bigint] = [0];
  call(out, ...values);
  return Number(out[0]);
}
