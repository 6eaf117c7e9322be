/** Tensors of ONNX Runtime (OrtValue) on the host and on a device, each released when its owner says so. */
import type { NdArray } from '../../../shared/arrays.js';
import { elementTypeCodes } from '../model-proto.js';
import type { TensorDeclaration } from '../programs/backend.js';
import type { Handle, NativeApi } from './api.js';

/** OrtAllocatorType, OrtMemType. */
const [arenaAllocator, defaultMemory] = [1, 0];

export type DeviceName = 'Cpu' | 'Cuda';

/** OrtMemoryInfo; it is never released: a process needs two. */
export function memoryInfoOf(api: NativeApi, device: DeviceName): Handle {
  return api.make('createMemoryInfo', device, arenaAllocator, 0, defaultMemory);
}

let live = 0;

/** Tensors of the process that were made and not released. */
export function liveTensors(): number {
  return live;
}

/** Makes and releases tensors. */
export class NativeTensors {
  private readonly hostMemory: Handle;

  constructor(private readonly api: NativeApi) {
    this.hostMemory = memoryInfoOf(api, 'Cpu');
  }

  /** A tensor of an allocator's memory, its elements of any value. @throws Error where the memory is too small */
  allocate(allocator: Handle, { dtype, shape }: Pick<TensorDeclaration, 'dtype' | 'shape'>): Handle {
    const extents = BigInt64Array.from(shape, BigInt);
    const code = elementTypeCodes[dtype];
    const tensor = this.api.make('createTensor', allocator, extents, shape.length, code);
    live++;
    return tensor;
  }

  /** A tensor whose elements are those of the array: keep it as long as the tensor. */
  around({ dtype, shape, data }: NdArray): Handle {
    const extents = BigInt64Array.from(shape, BigInt);
    const place = [data, data.byteLength, extents, shape.length] as const;
    const tensor = this.api.make('createTensorWithData', this.hostMemory, ...place, elementTypeCodes[dtype]);
    live++;
    return tensor;
  }

  release(tensor: Handle): void {
    this.api.release('value', tensor);
    live--;
  }
}
