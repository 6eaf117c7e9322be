/**
 * The default engine: traces a pure function of tensors into one ONNX program and runs it with ONNX Runtime. Where values are,
 * and how programs get them, a backend knows.
 */
import { availableParallelism } from 'node:os';
import type { Tensor } from '@tensorflow/tfjs';
import type { NdArray } from '../../shared/arrays.js';
import { counted } from '../../shared/costs/numbers.js';
import type { Device, Precision } from '../../shared/engine-names.js';
import { sum } from '../../shared/groups.js';
import { leavesOf, type Mapped, mapTree } from '../../shared/tree.js';
import {
  type Compiled,
  type Engine,
  isName,
  isValue,
  requireValueType,
  type TensorFunction,
  type Value,
  type Values,
} from '../engine.js';
import { channelBlock } from './channel-block.js';
import type { GraphValue } from './graph.js';
import type { Backend, LoadedProgram, Stored, TensorDeclaration } from './programs/backend.js';
import { type BackendChoice, chosenBackend } from './programs/choose-backend.js';
import { cardOf, programBudget, requireProvider, settledPrecision, sharedArena } from './programs/device.js';
import { openGraph } from './programs/graph-session.js';
import type { NarrowProducts } from './programs/mixed-precision.js';
import { type CachedProgram, ProgramCache } from './programs/program-cache.js';
import './kernels/index.js';
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
  /** What keeps the values; default: native with CUDA, node with everything else. */
  readonly backend?: BackendChoice;
  /** Whether programs hold copies of the constants that they read; default where values cross the bus in every run. */
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

type InputLeaf = ReturnType<typeof leavesOf<Value>>[number];

interface Program<Out> extends CachedProgram {
  readonly program: LoadedProgram<Stored>;
  /** Which leaves of its inputs the program reads. */
  readonly read: readonly number[];
  /** The tree of results; leaves are names of outputs. */
  readonly outputs: Mapped<Out, Tensor, string>;
  readonly results: readonly TensorDeclaration[];
}

/** @throws RequestError when onnxruntime cannot compute on the device */
export async function createOnnxEngine(options: OnnxEngineOptions = {}): Promise<Engine> {
  const { threads = availableParallelism(), device = 'cpu', programs: limit = 160 } = options;
  const card = await cardOf(device);
  const precision = settledPrecision(device, card, options.precision);
  if (device !== 'cpu') await requireProvider(device);
  const { narrowProducts = precision === 'mixed' ? 'native' : undefined } = options;
  const block = device === 'cpu' ? await channelBlock() : undefined;
  const sharesArena = device !== 'webgpu' && (await sharedArena(device));
  const { backend, reason } = await chosenBackend(options.backend, { device, threads, precision, sharesArena });
  const { holdsConstants = !backend.keepsValues, programBytes = programBudget(device, card) } = options;
  const programs = new ProgramCache<Program<unknown>>(limit, programBytes, sharesArena);

  const compileProgram = async <In, Out>(
    key: string,
    fn: TensorFunction<In, Out>,
    inputs: Values<In>,
    leaves: readonly InputLeaf[],
  ): Promise<Program<Out>> => {
    const { declared, constants } = declare(inputs, holdsConstants);
    const traced = trace(fn, declared as never, {
      channelBlock: block,
      shortSequence: device === 'cpu' ? shortSequence : 0,
      fused: device !== 'webgpu',
      narrowProducts,
    });
    const { model, outputs, held, peakBytes } = traced;
    const results = traced.results.map(declarationOf);
    const places = new Map(leaves.map(({ path }, index) => [`in/${path}`, index]));
    const read = traced.inputs.map((name) => places.get(name)!);
    const declarations = read.map((index) => ({ ...leaves[index]!.leaf, name: `in/${leaves[index]!.path}` }));
    const program = await backend.load({ key, model, inputs: declarations, outputs: results });
    const own = [...constants].filter(([name]) => held.has(name));
    const bytes = sum(own.map(([name]) => held.get(name)!));
    return {
      ...{ program, read, outputs, results, held: new Set(own.map(([, storage]) => storage)) },
      size: { constants: bytes, working: Number.isFinite(programBytes) ? arena * peakBytes() : 0 },
      release: () => program.release(),
    };
  };

  const programFor = <In, Out>(
    key: string,
    fn: TensorFunction<In, Out>,
    inputs: Values<In>,
    leaves: readonly InputLeaf[],
  ): Promise<Program<Out>> => {
    const shapes = leaves.map(({ path, leaf }) => {
      const { constant, id } = leaf.storage as OnnxStorage;
      return `${path}:${leaf.dtype}[${leaf.shape}]${holdsConstants && constant ? `#${id}` : ''}`;
    });
    // The same key means the same function.
    const signature = `${key}(${shapes.join(' ')})`;
    return programs.get(signature, () => compileProgram(key, fn, inputs, leaves)) as Promise<Program<Out>>;
  };

  return {
    name: 'onnxruntime',
    device: device === 'cpu' ? `cpu, ${counted(threads, 'thread')}` : device,
    precision,
    ...(reason !== undefined && { crossing: reason }),
    imagesAsBytes: device === 'cuda',
    put: (array, isConstant = false) => toValue(backend, array, isConstant),
    get: ({ storage }) => backend.read((storage as OnnxStorage).tensor),
    free: (tree) => {
      for (const { leaf } of leavesOf(tree, isValue)) {
        const storage = leaf.storage as OnnxStorage;
        if (storage.constant) programs.dropHolders(storage);
        backend.free(storage.tensor);
      }
    },
    compile: <In, Out>(key: string, fn: TensorFunction<In, Out>): Compiled<In, Out> => {
      return async (inputs) => {
        const leaves = leavesOf(inputs, isValue);
        const { program, read, outputs, results } = await programFor(key, fn, inputs, leaves);
        const tensors = await program.run(read.map((index) => (leaves[index]!.leaf.storage as OnnxStorage).tensor));
        const values = new Map(
          results.map(({ name, dtype, shape }, index) => {
            return [name, { dtype, shape, storage: { tensor: tensors[index]! } satisfies OnnxStorage }];
          }),
        );
        // `Values<Out>`: its tensors became names, and now values.
        return mapTree(outputs, isName, (name) => values.get(name)!) as never;
      };
    },
    ...(device === 'cpu' && { openGraph: (graph) => openGraph(graph, threads) }),
    programMemory: () => programs.memory(),
    dispose: async () => {
      await programs.dispose();
      await backend.dispose();
    },
  };
}

/** Inputs as they are traced: constants that the program is to hold have their elements, by their names in it. */
function declare(inputs: object, holdsConstants: boolean) {
  const constants = new Map<string, OnnxStorage>();
  const given = leavesOf(inputs, isValue).map(({ leaf }) => (leaf.storage as OnnxStorage).constant);
  const fits = sum(given.map((constant) => constant?.data.byteLength ?? 0)) <= largestModel;
  const declared = mapTree(inputs, isValue, (value, path) => {
    const storage = value.storage as OnnxStorage;
    if (!holdsConstants || !fits || !storage.constant) return value;
    constants.set(`in/${path}`, storage);
    return storage.constant;
  });
  return { declared, constants };
}

function declarationOf({ name, dtype, shape }: GraphValue): TensorDeclaration {
  requireValueType(dtype);
  return { name, dtype, shape };
}

/** Where a value is. */
interface OnnxStorage {
  readonly tensor: Stored;
  /** The elements, where they never change. */
  readonly constant?: NdArray;
  /** Tells constants apart. */
  readonly id?: number;
}

let constants = 0;

function toValue(backend: Backend<Stored>, array: NdArray, isConstant: boolean): Value {
  const { dtype, shape } = array;
  const tensor = backend.wrap(array, isConstant);
  const storage: OnnxStorage = isConstant ? { tensor, constant: array, id: constants++ } : { tensor };
  return { dtype, shape, storage };
}
