/**
 * Programs and values by onnxruntime-node. On the CPU a value is a host array, so nothing is copied; with WebGPU it moves to
 * the device when a program first reads it, and results stay there; with CUDA every input and output of a program crosses
 * the bus in every run.
 */
import type { NdArray } from '../../../shared/arrays.js';
import type { Device } from '../../../shared/engine-names.js';
import { deviceMemory } from '../device-memory.js';
import * as ort from '../runtime.js';
import type { Backend, LoadedProgram, ProgramSource } from './backend.js';
import { fromSharedArena, wholly, whollyPlaced } from './placement.js';

export interface NodeBackendOptions {
  readonly device: Device;
  /** Threads of one operator, on the CPU. */
  readonly threads: number;
  /** Whether programs compute in the arena that all of them share (shared-arena.ts). */
  readonly sharesArena: boolean;
}

/** Where a value is: the tensor is replaced by one on the device when a program first reads it. */
interface NodeValue {
  tensor: ort.Tensor;
}

/** A program's own memory arena stays off: with it each would keep its peak (0.6 -> 7.2 GB for four programs of ViT-B). */
export function nodeBackend({ device, threads, sharesArena }: NodeBackendOptions): Backend<NodeValue> {
  const memory = device === 'webgpu' ? deviceMemory() : undefined;
  const session = { ...(device === 'cuda' && wholly.extra.session), ...(sharesArena && fromSharedArena) };
  const options: NonNullable<Parameters<typeof ort.InferenceSession.create>[1]> = {
    executionProviders: [device],
    // What a traced graph leaves to optimise costs more to find (0.15 s of 0.5 s a stitch) than it gives back.
    graphOptimizationLevel: 'disabled',
    enableCpuMemArena: false,
    enableMemPattern: false,
    logSeverityLevel: device === 'cuda' ? 4 : 3,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    ...(memory && { preferredOutputLocation: 'gpu-buffer' }),
    extra: { session },
  };

  const load = async ({ key, model, inputs, outputs }: ProgramSource): Promise<LoadedProgram<NodeValue>> => {
    const create = () => ort.InferenceSession.create(model, options);
    const program = await whollyPlaced(create, { key, device, model, inputs });
    return {
      run: async (given) => {
        if (memory) for (const value of given) value.tensor = await memory.upload(value.tensor);
        const results = await program.run(
          Object.fromEntries(inputs.map(({ name }, index) => [name, given[index]!.tensor])),
        );
        return outputs.map(({ name }) => ({ tensor: results[name]! }));
      },
      release: () => program.release(),
    };
  };

  return {
    keepsValues: device !== 'cuda',
    wrap: ({ dtype, data, shape }: NdArray) => ({ tensor: new ort.Tensor(dtype, data, shape) }),
    read: async ({ tensor }) => toArray(memory ? await memory.download(tensor) : tensor),
    free: ({ tensor }) => memory?.free(tensor),
    load,
    dispose: async () => memory?.dispose(),
  };
}

function toArray({ type, dims: shape, data }: ort.Tensor): NdArray {
  return type === 'int32'
    ? { dtype: 'int32', shape, data: data as Int32Array }
    : { dtype: 'float32', shape, data: data as Float32Array };
}
