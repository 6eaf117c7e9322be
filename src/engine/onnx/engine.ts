/**
 * The default engine: traces a pure function of tensors into one ONNX program and runs it with onnxruntime-node.
 *
 * On the CPU a value is a host array, so `put` and `get` copy nothing; with WebGPU it moves to the device when a program
 * first reads it, and results stay there. The memory arena stays off: with it every compiled
 * stitch would keep its peak (measured: 0.6 -> 7.2 GB for four programs of ViT-B; without it flat, at the same speed).
 */
import { availableParallelism } from 'node:os';
import type { Tensor } from '@tensorflow/tfjs';
import type { NdArray } from '../../shared/arrays.js';
import type { Device } from '../../shared/engine-names.js';
import { RequestError } from '../../shared/errors.js';
import { leavesOf, type Mapped, mapTree } from '../../shared/tree.js';
import { type Compiled, type Engine, isValue, type TensorFunction, type Value, type Values } from '../engine.js';
import { channelBlock } from './channel-block.js';
import { deviceMemory } from './device-memory.js';
import * as ort from './runtime.js';
import './kernels/index.js';
import { trace } from './tracer.js';

export interface OnnxEngineOptions {
  /** Threads of one operator; default all cores (onnxruntime's own default takes one of two virtual cores). */
  readonly threads?: number | undefined;
  /** onnxruntime's execution provider; default cpu. */
  readonly device?: Device | undefined;
  /** Compiled programs kept at most; default 160 (a stitch space has 71 stitches, trained and evaluated). */
  readonly programs?: number;
}

/**
 * Tokens up to which the probabilities of attention are kept for the gradient. On the CPU the fused operator is no faster
 * at this length (65 tokens, 8 heads of 16: 2.4 ms either way), and [heads, tokens, tokens] is little memory.
 */
const shortSequence = 128;

interface Program<Out> {
  readonly session: ort.InferenceSession;
  readonly inputs: readonly string[];
  /** The tree of results; leaves are names of outputs. */
  readonly outputs: Mapped<Out, Tensor, string>;
}

/** @throws RequestError when onnxruntime cannot compute on the device */
export async function createOnnxEngine(options: OnnxEngineOptions = {}): Promise<Engine> {
  const { threads = availableParallelism(), device = 'cpu', programs: limit = 160 } = options;
  if (device !== 'cpu') await requireProvider(device);
  const block = device === 'cpu' ? await channelBlock() : undefined;
  const memory = device === 'webgpu' ? deviceMemory() : undefined;
  // Insertion order is order of use: the first is the one unused for longest.
  const programs = new Map<string, Promise<Program<unknown>>>();

  const compileProgram = async <In, Out>(fn: TensorFunction<In, Out>, inputs: Values<In>): Promise<Program<Out>> => {
    const {
      model,
      inputs: used,
      outputs,
    } = trace(fn, inputs, {
      channelBlock: block,
      shortSequence: device === 'cpu' ? shortSequence : 0,
      fused: device !== 'webgpu',
    });
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [device],
      // What a traced graph leaves to optimise costs more to find (0.15 s of 0.5 s a stitch) than it gives back.
      graphOptimizationLevel: 'disabled',
      enableCpuMemArena: false,
      enableMemPattern: false,
      logSeverityLevel: 3,
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      ...(memory && { preferredOutputLocation: 'gpu-buffer' }),
    });
    return { session, inputs: used, outputs };
  };

  const programFor = <In, Out>(key: string, fn: TensorFunction<In, Out>, inputs: Values<In>): Promise<Program<Out>> => {
    const shapes = leavesOf(inputs, isValue).map(({ path, leaf }) => `${path}:${leaf.dtype}[${leaf.shape}]`);
    const signature = `${key}(${shapes.join(' ')})`;
    // The same key means the same function.
    const known = programs.get(signature) as Promise<Program<Out>> | undefined;
    const program = known ?? compileProgram(fn, inputs);
    programs.delete(signature);
    programs.set(signature, program);
    program.catch(() => programs.delete(signature)); // what failed to compile is no program
    if (programs.size > limit) {
      const [oldest, evicted] = programs.entries().next().value!;
      programs.delete(oldest);
      void evicted.then(({ session }) => session.release());
    }
    return program;
  };

  return {
    name: 'onnxruntime',
    device: device === 'cpu' ? `cpu, ${threads} ${threads === 1 ? 'thread' : 'threads'}` : device,
    put: (array) => toValue(array),
    get: async ({ storage }) => {
      const { tensor } = storage as OnnxStorage;
      return toArray(memory ? await memory.download(tensor) : tensor);
    },
    free: (tree) => {
      if (memory) for (const { leaf } of leavesOf(tree, isValue)) memory.free((leaf.storage as OnnxStorage).tensor);
    },
    compile: <In, Out>(key: string, fn: TensorFunction<In, Out>): Compiled<In, Out> => {
      return async (inputs) => {
        const { session, inputs: used, outputs } = await programFor(key, fn, inputs);
        const values = new Map(leavesOf(inputs, isValue).map(({ path, leaf }) => [`in/${path}`, leaf]));
        const stored = used.map((name) => [name, values.get(name)!.storage as OnnxStorage] as const);
        if (memory) for (const [, storage] of stored) storage.tensor = await memory.upload(storage.tensor);
        const feeds = Object.fromEntries(stored.map(([name, { tensor }]) => [name, tensor]));
        const results = await session.run(feeds);
        // `Values<Out>`: its tensors became names, and now values.
        return mapTree(outputs, isName, (name) => fromTensor(results[name]!)) as never;
      };
    },
    dispose: async () => {
      const all = [...programs.values()];
      programs.clear();
      for (const program of all) await (await program).session.release();
      await memory?.dispose();
    },
  };
}

async function requireProvider(device: Exclude<Device, 'cpu'>): Promise<void> {
  const { whyNotPlaced } = await import('./placement.js');
  const reason = await whyNotPlaced(device);
  if (reason === undefined) return;
  const missing = device === 'cuda' ? await missingForCuda() : [];
  const pieces = missing.map(({ what }) => what).join('; ');
  throw new RequestError(
    `onnxruntime does not compute on ${device} here: ${pieces || reason}`,
    [...missing.map(({ remedy }) => remedy), 'Run `esta doctor` to see more, or leave out the device.'].join('\n'),
  );
}

async function missingForCuda() {
  const { cudaReadiness } = await import('../cuda/readiness.js');
  return (await cudaReadiness()).missing;
}

function isName(node: unknown): node is string {
  return typeof node === 'string';
}

/** Where a value is: the tensor is replaced by one on the device when a program first reads it. */
interface OnnxStorage {
  tensor: ort.Tensor;
}

function toValue({ dtype, shape, data }: NdArray): Value {
  return { dtype, shape, storage: { tensor: new ort.Tensor(dtype, data, shape) } satisfies OnnxStorage };
}

function fromTensor(tensor: ort.Tensor): Value {
  if (tensor.type !== 'float32' && tensor.type !== 'int32') {
    throw new Error(`a compiled function returned a ${tensor.type} tensor: cast it to float32 or int32`);
  }
  return { dtype: tensor.type, shape: tensor.dims, storage: { tensor } satisfies OnnxStorage };
}

function toArray({ type, dims: shape, data }: ort.Tensor): NdArray {
  return type === 'int32'
    ? { dtype: 'int32', shape, data: data as Int32Array }
    : { dtype: 'float32', shape, data: data as Float32Array };
}
