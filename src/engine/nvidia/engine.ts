/**
 * An engine of our own for NVIDIA cards: traced programs become few kernels, compiled for the card by NVRTC, and products of
 * cuBLAS; all values stay on the card. It needs the driver, cuBLAS and NVRTC, which every PyTorch for CUDA brings.
 */
import type { Tensor } from '@tensorflow/tfjs';
import { type NdArray, sizeOf } from '../../shared/arrays.js';
import type { Precision } from '../../shared/engine-names.js';
import { RequestError } from '../../shared/errors.js';
import { leavesOf, type Mapped, mapTree } from '../../shared/tree.js';
import {
  type Compiled,
  type Engine,
  type HoldingFunction,
  isName,
  isValue,
  requireValueType,
  type TensorFunction,
  type Value,
  type Values,
} from '../engine.js';
import '../onnx/kernels/index.js';
import { type CachedProgram, ProgramCache } from '../onnx/programs/program-cache.js';
import { traceGraph } from '../onnx/tracer.js';
import { settlePrecision } from '../precision.js';
import { counted } from './card/allocations.js';
import type { Address, Card } from './card/card.js';
import { openCard } from './card/open.js';
import { threads } from './code/kernel.js';
import { narrowBlocks, narrowText } from './code/narrow-kernel.js';
import { MissingOperators } from './loops/conversion.js';
import { convert } from './loops/convert.js';
import { Arena } from './programs/arena.js';
import { Kernels } from './programs/kernels.js';
import { type Plan, planOf } from './programs/plan.js';
import { Pool } from './programs/pool.js';
import { CardProgram } from './programs/program.js';

export interface NvidiaEngineOptions {
  /** Default: tf32 on a card that has it. */
  readonly precision?: Precision | undefined;
  /** Compiled programs kept at most; default 160. */
  readonly programs?: number;
  readonly card?: Card;
}

/** Where a value is. */
interface CardStorage {
  /** The elements, until the card has them. */
  array: NdArray | undefined;
  address: Address | undefined;
  /** The same in bfloat16, where a program reads it so. */
  narrow?: Address | undefined;
  readonly bytes: number;
  /** Tells constants apart. */
  readonly constant?: number;
}

/** It holds no copies of frozen weights, but their addresses. */
interface Program<Out> extends CachedProgram {
  readonly program: CardProgram;
  readonly outputs: Mapped<Out, Tensor, string>;
}

const storageOf = ({ storage }: Value) => storage as CardStorage;

/** @throws RequestError where there is no card, or one of its libraries is missing */
export async function createNvidiaEngine(options: NvidiaEngineOptions = {}): Promise<Engine> {
  const { card, peakBytes } = counted(options.card ?? (await openCard()));
  return new NvidiaEngine(card, options, peakBytes);
}

class NvidiaEngine implements Engine {
  readonly name = 'nvidia';
  readonly imagesAsBytes = true;
  readonly device: string;
  readonly precision: Precision;
  private readonly pool: Pool;
  /** What its programs see. */
  private readonly programCard: Card;
  private readonly arena: Arena;
  private readonly kernels: Kernels;
  private readonly programs: ProgramCache<Program<unknown>>;
  private constants = 0;
  private bound = 0;

  constructor(
    private readonly card: Card,
    { precision, programs = 160 }: NvidiaEngineOptions,
    readonly deviceMemory: () => number,
  ) {
    const [major, minor] = card.computeCapability;
    const request = {
      engine: 'nvidia',
      place: 'cuda',
      asked: precision,
      computeCapability: major + minor / 10,
    } as const;
    this.precision = settlePrecision(request);
    this.device = `cuda, ${card.name}`;
    this.programs = new ProgramCache(programs);
    this.pool = new Pool(card);
    this.programCard = { ...card, allocate: (bytes) => this.pool.allocate(bytes) };
    this.arena = new Arena(this.programCard);
    this.kernels = new Kernels(card);
  }

  put(array: NdArray, isConstant = false): Value {
    const { dtype, shape, data } = array;
    const storage: CardStorage = {
      ...{ array, address: undefined, bytes: data.byteLength },
      ...(isConstant && { constant: this.constants++ }),
    };
    return { dtype, shape, storage };
  }

  async get({ dtype, shape, storage }: Value): Promise<NdArray> {
    const { array, address, bytes } = storage as CardStorage;
    if (address === undefined) return array!;
    const data = dtype === 'int32' ? new Int32Array(bytes / 4) : new Float32Array(bytes / 4);
    await this.card.download(address, data);
    return { dtype, shape, data } as NdArray; // programs return no other types
  }

  free(tree: object): void {
    for (const { leaf } of leavesOf(tree, isValue)) {
      const storage = storageOf(leaf);
      if (storage.constant !== undefined) this.programs.dropHolders(storage);
      if (storage.address !== undefined) this.pool.give(storage.address, storage.bytes);
      if (storage.narrow !== undefined) this.pool.give(storage.narrow, storage.bytes / 2);
      storage.address = undefined;
      storage.narrow = undefined;
      storage.array = undefined;
    }
  }

  compile<In, Out>(key: string, fn: TensorFunction<In, Out>): Compiled<In, Out> {
    return async (inputs) => this.run(await this.programFor(key, fn, inputs), inputs);
  }

  bind<Held, In, Out>(key: string, fn: HoldingFunction<Held, In, Out>, held: Values<Held>): Compiled<In, Out> {
    const signature = `${key} of ${this.bound++}`;
    return async (inputs) => {
      const compile = async () => {
        const whole = ({ held, inputs }: { readonly held: Held; readonly inputs: In }) => fn(held, inputs);
        return explained(key, () => this.compileProgram(whole, { held, inputs } as never));
      };
      const program = await this.programs.get(`${signature}(${this.signatureOf(inputs)})`, compile);
      return this.run(program as Program<Out>, { inputs });
    };
  }

  reserve(shape: readonly number[]): Value {
    const bytes = 4 * sizeOf(shape);
    const storage: CardStorage = {
      array: undefined,
      address: this.pool.take(bytes),
      bytes,
      constant: this.constants++,
    };
    return { dtype: 'float32', shape, storage };
  }

  private run<Out>({ program, outputs }: Program<Out>, inputs: object): Values<Out> {
    const given = valuesByName(inputs);
    const from = program.plan.inputs.map(({ name }) => this.onCard(storageOf(given.get(name)!)));
    const results = new Map<string, Value>();
    try {
      for (const output of program.plan.outputs) results.set(output.name, this.emptyValue(output));
      program.run(
        from,
        program.plan.outputs.map(({ name }) => storageOf(results.get(name)!).address!),
      );
    } catch (error) {
      this.free([...results.values()]);
      throw error;
    }
    // `Values<Out>`: its tensors became names, and now values.
    return mapTree(outputs, isName, (name) => results.get(name)!) as never;
  }

  programMemory() {
    return this.programs.memory();
  }

  async dispose(): Promise<void> {
    await this.card.synchronise();
    await this.programs.dispose();
    this.pool.release();
    this.arena.release();
    this.card.dispose();
  }

  private onCard(storage: CardStorage): Address {
    if (storage.address === undefined) {
      storage.address = this.pool.take(storage.bytes);
      this.card.upload(storage.address, storage.array!.data);
      storage.array = undefined;
    }
    return storage.address;
  }

  /** The numbers of float32 stay on the host, if no program asks for them. */
  private narrowOnCard(storage: CardStorage): Address {
    if (storage.narrow !== undefined) return storage.narrow;
    const elements = storage.bytes / 4;
    const text = narrowText(elements);
    this.kernels.prepare([text]);
    const whole = storage.address ?? this.pool.take(storage.bytes);
    if (storage.address === undefined) this.card.upload(whole, storage.array!.data);
    storage.narrow = this.pool.take(storage.bytes / 2);
    this.card.launch(this.kernels.of(text), narrowBlocks(elements), threads, [whole, storage.narrow]);
    if (storage.address === undefined) this.pool.give(whole, storage.bytes);
    return storage.narrow;
  }

  private emptyValue({ value: { type, shape }, bytes }: Plan['outputs'][number]): Value {
    requireValueType(type);
    const storage: CardStorage = { array: undefined, address: this.pool.take(bytes), bytes };
    return { dtype: type, shape, storage };
  }

  private programFor<In, Out>(key: string, fn: TensorFunction<In, Out>, inputs: Values<In>): Promise<Program<Out>> {
    // The same key means the same function.
    const compile = async () => explained(key, () => this.compileProgram(fn, inputs));
    return this.programs.get(`${key}(${this.signatureOf(inputs)})`, compile) as Promise<Program<Out>>;
  }

  private signatureOf(inputs: object): string {
    const shapes = leavesOf(inputs, isValue).map(({ path, leaf }) => {
      const { constant } = storageOf(leaf);
      return `${path}:${leaf.dtype}[${leaf.shape}]${constant === undefined ? '' : `#${constant}`}`;
    });
    return shapes.join(' ');
  }

  private compileProgram<In, Out>(fn: TensorFunction<In, Out>, inputs: Values<In>): Program<Out> {
    const { graph, outputs } = traceGraph(fn, inputs as never, {
      ...{ fused: true, multipliesCodes: true, keepsProbabilities: true },
    });
    const given = valuesByName(inputs);
    const names = new Set<string>();
    const held = new Set<CardStorage>();
    for (const { name } of graph.inputs) {
      const storage = storageOf(given.get(name)!);
      if (storage.constant === undefined) continue;
      names.add(name);
      held.add(storage);
    }
    const plan = planOf(convert(graph, this.precision, names), names);
    const fixed = new Map(
      plan.lasting.map(({ name, input, isNarrow }) => {
        const storage = storageOf(given.get(input)!);
        return [name, isNarrow ? this.narrowOnCard(storage) : this.onCard(storage)] as const;
      }),
    );
    const program = new CardProgram(this.programCard, this.kernels, this.arena, plan, fixed, this.precision);
    return {
      ...{ program, outputs, held, size: { constants: program.ownBytes, working: 0 } },
      release: async () => program.release(),
    };
  }
}

function valuesByName(inputs: object): ReadonlyMap<string, Value> {
  return new Map(leavesOf(inputs, isValue).map(({ path, leaf }) => [`in/${path}`, leaf]));
}

/** @throws RequestError where an operator has no kernel */
function explained<T>(key: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof MissingOperators)) throw error;
    throw new RequestError(
      `the nvidia engine has no kernel for ${error.operators.join(', ')} of the program "${key}"`,
      'Use --engine onnxruntime --device cuda (see esta engine install --cuda), or --device cpu.',
    );
  }
}
