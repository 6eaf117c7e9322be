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
import type { Device, Precision } from '../../shared/engine-names.js';
import { leavesOf, type Mapped, mapTree } from '../../shared/tree.js';
import { type Compiled, type Engine, isValue, type TensorFunction, type Value, type Values } from '../engine.js';
import { channelBlock } from './channel-block.js';
import { deviceMemory } from './device-memory.js';
import { type CachedProgram, ProgramCache } from './programs/program-cache.js';
import * as ort from './runtime.js';
import './kernels/index.js';
import type { NarrowProducts } from './programs/mixed-precision.js';
import {
  cardOf,
  createSession,
  programBudget,
  requireProvider,
  settledPrecision,
  sharedArena,
} from './programs/session.js';
import { trace } from './tracer.js';

export interface OnnxEngineOptions {
  /** Threads of one operator; default all cores (onnxruntime's own default takes one of two virtual cores). */
  readonly threads?: number | undefined;
  /** onnxruntime's execution provider; default cpu. */
  readonly device?: Device | undefined;
  /** Default: tf32 with CUDA on a card that has it, else float32. */
  readonly precision?: Precision | undefined;
  /** How products are computed in bfloat16; default natively where the precision is mixed, else not. */
  readonly narrowProducts?: NarrowProducts | undefined;
  /** Compiled programs kept at most; default 160 (a stitch space has 71 stitches, trained and evaluated). */
  readonly programs?: number;
  /** Whether programs hold copies of the constants that they read; default with CUDA alone. */
  readonly holdsConstants?: boolean;
  /** Device memory that programs may take together; default with CUDA: 80 % of what was free on the card. */
  readonly programBytes?: number;
}

/**
 * Tokens up to which the probabilities of attention are kept for the gradient. On the CPU the fused operator is no faster
 * at this length (65 tokens, 8 heads of 16: 2.4 ms either way), and [heads, tokens, tokens] is little memory.
 */
const shortSequence = 128;

/** What was needed at once is kept, in blocks that double: 1.1 to 1.5 times of it. */
const arena = 1.5;

/** Bytes of constants in one program: Protocol Buffers end at 2 GiB. Larger networks stay inputs. */
const largestModel = 1.9 * 2 ** 30;

interface Program<Out> extends CachedProgram {
  readonly session: ort.InferenceSession;
  readonly inputs: readonly string[];
  /** The tree of results; leaves are names of outputs. */
  readonly outputs: Mapped<Out, Tensor, string>;
}

/** @throws RequestError when onnxruntime cannot compute on the device */
export async function createOnnxEngine(options: OnnxEngineOptions = {}): Promise<Engine> {
  const { threads = availableParallelism(), device = 'cpu', programs: limit = 160 } = options;
  const card = await cardOf(device);
  const precision = settledPrecision(device, card, options.precision);
  if (device !== 'cpu') await requireProvider(device);
  const { narrowProducts = precision === 'mixed' ? 'native' : undefined } = options;
  const block = device === 'cpu' ? await channelBlock() : undefined;
  const memory = device === 'webgpu' ? deviceMemory() : undefined;
  // With CUDA every input of a program crosses the bus in every run.
  const { holdsConstants = device === 'cuda', programBytes = programBudget(device, card) } = options;
  const sharesArena = device === 'cuda' && (await sharedArena());
  const programs = new ProgramCache<Program<unknown>>(limit, programBytes, sharesArena);

  const compileProgram = async <In, Out>(
    key: string,
    fn: TensorFunction<In, Out>,
    inputs: Values<In>,
  ): Promise<Program<Out>> => {
    const { declared, constants } = declare(inputs, holdsConstants);
    const {
      model,
      inputs: used,
      outputs,
      held,
      peakBytes,
    } = trace(fn, declared as never, {
      channelBlock: block,
      shortSequence: device === 'cpu' ? shortSequence : 0,
      fused: device !== 'webgpu',
      narrowProducts,
    });
    const session = await createSession(
      model,
      {
        executionProviders: [device],
        // What a traced graph leaves to optimise costs more to find (0.15 s of 0.5 s a stitch) than it gives back.
        graphOptimizationLevel: 'disabled',
        enableCpuMemArena: false,
        enableMemPattern: false,
        logSeverityLevel: 3,
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        ...(memory && { preferredOutputLocation: 'gpu-buffer' }),
      },
      { key, device, sharesArena, feeds: feedsOf(storagesOf(inputs, used)) },
    );
    const own = [...constants].filter(([name]) => held.has(name));
    const bytes = sumOf(own.map(([name]) => held.get(name)!));
    return {
      ...{ session, inputs: used, outputs, held: new Set(own.map(([, storage]) => storage)) },
      size: { constants: bytes, working: Number.isFinite(programBytes) ? arena * peakBytes() : 0 },
      release: () => session.release(),
    };
  };

  const programFor = <In, Out>(key: string, fn: TensorFunction<In, Out>, inputs: Values<In>): Promise<Program<Out>> => {
    const shapes = leavesOf(inputs, isValue).map(({ path, leaf }) => {
      const { constant, id } = leaf.storage as OnnxStorage;
      return `${path}:${leaf.dtype}[${leaf.shape}]${holdsConstants && constant ? `#${id}` : ''}`;
    });
    // The same key means the same function.
    return programs.get(`${key}(${shapes.join(' ')})`, () => compileProgram(key, fn, inputs)) as Promise<Program<Out>>;
  };

  return {
    name: 'onnxruntime',
    device: device === 'cpu' ? `cpu, ${threads} ${threads === 1 ? 'thread' : 'threads'}` : device,
    precision,
    put: toValue,
    get: async ({ storage }) => {
      const { tensor } = storage as OnnxStorage;
      return toArray(memory ? await memory.download(tensor) : tensor);
    },
    free: (tree) => {
      for (const { leaf } of leavesOf(tree, isValue)) {
        const storage = leaf.storage as OnnxStorage;
        if (storage.constant) programs.dropHolders(storage);
        memory?.free(storage.tensor);
      }
    },
    compile: <In, Out>(key: string, fn: TensorFunction<In, Out>): Compiled<In, Out> => {
      return async (inputs) => {
        const { session, inputs: used, outputs } = await programFor(key, fn, inputs);
        const stored = storagesOf(inputs, used);
        if (memory) for (const [, storage] of stored) storage.tensor = await memory.upload(storage.tensor);
        const results = await session.run(feedsOf(stored));
        // `Values<Out>`: its tensors became names, and now values.
        return mapTree(outputs, isName, (name) => fromTensor(results[name]!)) as never;
      };
    },
    programMemory: () => programs.memory(),
    dispose: async () => {
      await programs.dispose();
      await memory?.dispose();
    },
  };
}

/** Inputs as they are traced: constants that the program is to hold have their elements, by their names in it. */
function declare(inputs: object, holdsConstants: boolean) {
  const constants = new Map<string, OnnxStorage>();
  const given = leavesOf(inputs, isValue).map(({ leaf }) => (leaf.storage as OnnxStorage).constant);
  const fits = sumOf(given.map((constant) => constant?.data.byteLength ?? 0)) <= largestModel;
  const declared = mapTree(inputs, isValue, (value, path) => {
    const storage = value.storage as OnnxStorage;
    if (!holdsConstants || !fits || !storage.constant) return value;
    constants.set(`in/${path}`, storage);
    return storage.constant;
  });
  return { declared, constants };
}

/** Where the inputs that a program reads are, by their names in it. */
function storagesOf(inputs: object, used: readonly string[]): (readonly [string, OnnxStorage])[] {
  const values = new Map(leavesOf(inputs, isValue).map(({ path, leaf }) => [`in/${path}`, leaf]));
  return used.map((name) => [name, values.get(name)!.storage as OnnxStorage]);
}

function feedsOf(stored: readonly (readonly [string, OnnxStorage])[]): Record<string, ort.Tensor> {
  return Object.fromEntries(stored.map(([name, { tensor }]) => [name, tensor]));
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function isName(node: unknown): node is string {
  return typeof node === 'string';
}

/** Where a value is: the tensor is replaced by one on the device when a program first reads it. */
interface OnnxStorage {
  tensor: ort.Tensor;
  /** The elements, where they never change. */
  readonly constant?: NdArray;
  /** Tells constants apart. */
  readonly id?: number;
}

let constants = 0;

function toValue(array: NdArray, isConstant = false): Value {
  const { dtype, shape, data } = array;
  const tensor = new ort.Tensor(dtype, data, shape);
  const storage: OnnxStorage = isConstant ? { tensor, constant: array, id: constants++ } : { tensor };
  return { dtype, shape, storage };
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
