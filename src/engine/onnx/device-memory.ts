/**
 * The memory of a WebGPU device. Values stay in it from program to program: frozen weights and the optimizer's state would
 * otherwise cross the bus in every step (ViT-B: 0.35 GB, and 1 GB each way where all weights learn).
 *
 * onnxruntime-node neither copies between host and device nor frees device memory on request, so a program that only
 * passes its input on does the first, and the garbage collector the second.
 */
import v8 from 'node:v8';
import vm from 'node:vm';

import tf = require('@tensorflow/tfjs');

import { sizeOf } from '../../shared/arrays.js';
import * as ort from './runtime.js';
import './kernels/index.js';
import { trace } from './tracer.js';

/** What is smaller travels with the program that reads it: a run of its own would take longer. Bytes. */
const smallestUpload = 4096;

/** The collector does not see how large a device tensor is: it is called each time that so many bytes are to be freed. */
const collectAfter = 256 * 2 ** 20;

export interface DeviceMemory {
  /** The tensor on the device; small ones, and those that are there already, as they are. */
  upload(tensor: ort.Tensor): Promise<ort.Tensor>;
  /** The tensor on the host. */
  download(tensor: ort.Tensor): Promise<ort.Tensor>;
  /** Gives up a tensor; its device memory is free at the latest when 256 MiB wait for it. */
  free(tensor: ort.Tensor): void;
  dispose(): Promise<void>;
}

export function deviceMemory(): DeviceMemory {
  const copies = new Map<string, Promise<ort.InferenceSession>>();
  let waiting = 0;

  const copy = async (tensor: ort.Tensor, location: 'cpu' | 'gpu-buffer'): Promise<ort.Tensor> => {
    const key = `${location} ${tensor.type}[${tensor.dims}]`;
    const session = copies.get(key) ?? createCopy(tensor, location);
    copies.set(key, session);
    return (await (await session).run({ 'in/x': tensor }))['out/x']!;
  };

  return {
    upload: async (tensor) =>
      tensor.location === 'cpu' && bytesOf(tensor) >= smallestUpload ? copy(tensor, 'gpu-buffer') : tensor,
    download: async (tensor) => (tensor.location === 'cpu' ? tensor : copy(tensor, 'cpu')),
    free: (tensor) => {
      if (tensor.location === 'cpu') return;
      waiting += bytesOf(tensor);
      tensor.dispose();
      if (waiting < collectAfter) return;
      waiting = 0;
      collectGarbage();
    },
    dispose: async () => {
      for (const session of copies.values()) await (await session).release();
      copies.clear();
    },
  };
}

function createCopy({ type, dims }: ort.Tensor, location: 'cpu' | 'gpu-buffer'): Promise<ort.InferenceSession> {
  const x = { shape: dims, dtype: type as 'float32' | 'int32' };
  const { model } = trace((inputs: { x: tf.Tensor }) => ({ x: tf.clone(inputs.x) }), { x });
  return ort.InferenceSession.create(model, {
    executionProviders: ['webgpu'],
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 3,
    preferredOutputLocation: location,
  });
}

/** float32 and int32 alike. */
function bytesOf({ dims }: ort.Tensor): number {
  return 4 * sizeOf(dims);
}

function collectGarbage(): void {
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as () => void)();
}
