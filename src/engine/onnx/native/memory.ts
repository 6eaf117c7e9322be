/**
 * Values of programs: on the host until a program first reads them, then on the device, where results stay. Nothing is left
 * to the garbage collector: `free` releases at once, or as soon as the runs that read the value have ended.
 */
import { type NdArray, sizeOf } from '../../../shared/arrays.js';
import type { TensorDeclaration } from '../programs/backend.js';
import type { Handle } from './api.js';
import type { CopyPrograms } from './copy-programs.js';
import type { NativeTensors } from './values.js';

/** What is smaller may travel with the program that reads it: a run of its own would take longer. Bytes. */
const smallestUpload = 4096;

/** Programs with which something small travels: those of a step read its labels and its rate. Then it goes to stay. */
const journeys = 2;

export class NativeValue {
  /** The elements, while they are on the host. */
  host: NdArray | undefined;
  /** OrtValue around them. */
  around: Handle | undefined;
  /** OrtValue on the device. */
  tensor: Handle | undefined;
  /** Set while it is copied to the device. */
  arrival: Promise<void> | undefined;
  journeys = 0;
  /** Runs under way that read it. */
  readers = 0;
  isFreed = false;

  constructor(
    readonly dtype: NdArray['dtype'],
    readonly shape: readonly number[],
    /** Whether many programs will read it. */
    readonly isConstant: boolean,
  ) {}
}

export interface MemoryOptions {
  /** Of the device's memory. */
  readonly allocator: Handle;
  /** Whether programs compute where JavaScript's arrays are: nothing is copied then. */
  readonly isHost: boolean;
}

export class NativeMemory {
  /** Values with an OrtValue. */
  private readonly holding = new Set<NativeValue>();

  constructor(
    private readonly tensors: NativeTensors,
    private readonly copies: CopyPrograms,
    private readonly options: MemoryOptions,
  ) {}

  wrap(array: NdArray, isConstant: boolean): NativeValue {
    const value = new NativeValue(array.dtype, array.shape, isConstant);
    value.host = array;
    return value;
  }

  /** Calls `run` with the tensors of values, which stay until it has ended. @throws Error where a value was freed */
  async lend<Result>(values: readonly NativeValue[], run: (tensors: Handle[]) => Promise<Result>): Promise<Result> {
    for (const value of values) value.readers++;
    try {
      for (const value of values) {
        const arrival = this.place(value);
        if (arrival) await arrival;
      }
      return await run(values.map(({ tensor, around }) => (tensor ?? around)!));
    } finally {
      for (const value of values) {
        value.readers--;
        if (value.isFreed) this.release(value);
      }
    }
  }

  /** Values on the device for the results of `run`, which writes into their tensors. */
  async filled(
    declarations: readonly TensorDeclaration[],
    run: (tensors: Handle[]) => Promise<void>,
  ): Promise<NativeValue[]> {
    const values: NativeValue[] = [];
    try {
      for (const declaration of declarations) {
        const value = new NativeValue(declaration.dtype, declaration.shape, false);
        value.tensor = this.tensors.allocate(this.options.allocator, declaration);
        values.push(value);
        this.holding.add(value);
      }
      await run(values.map(({ tensor }) => tensor!));
      return values;
    } catch (error) {
      for (const value of values) this.free(value);
      throw error;
    }
  }

  async read(value: NativeValue): Promise<NdArray> {
    if (value.host) return value.host;
    return this.lend([value], async ([tensor]) => {
      const array = emptyArray(value);
      const target = this.tensors.around(array);
      try {
        await this.copies.copy(value.dtype, tensor!, target);
      } finally {
        this.tensors.release(target);
      }
      return array;
    });
  }

  free(value: NativeValue): void {
    value.isFreed = true;
    this.release(value);
  }

  /** Frees all values. */
  dispose(): void {
    for (const value of this.holding) this.free(value);
  }

  private release(value: NativeValue): void {
    if (value.readers > 0) return;
    for (const tensor of [value.tensor, value.around]) if (tensor !== undefined) this.tensors.release(tensor);
    value.host = undefined;
    value.around = undefined;
    value.tensor = undefined;
    this.holding.delete(value);
  }

  /** Gives a value a tensor that a program can read. Undefined where it has one. */
  private place(value: NativeValue): Promise<void> | undefined {
    if (value.isFreed) throw new Error(`a program reads a value of shape [${value.shape}] that was freed`);
    const { host } = value;
    if (value.tensor !== undefined || !host) return undefined;
    const travels = !value.isConstant && host.data.byteLength < smallestUpload && value.journeys++ < journeys;
    if (!this.options.isHost && !travels) {
      value.arrival ??= this.upload(value, host);
      return value.arrival;
    }
    value.around ??= this.tensors.around(host);
    this.holding.add(value);
    return undefined;
  }

  private async upload(value: NativeValue, host: NdArray): Promise<void> {
    const source = this.tensors.around(host);
    let tensor: Handle | undefined;
    try {
      tensor = this.tensors.allocate(this.options.allocator, value);
      await this.copies.copy(value.dtype, source, tensor);
      value.tensor = tensor;
      // What has travelled may be on its way.
      if (value.around === undefined) value.host = undefined;
      this.holding.add(value);
    } catch (error) {
      if (tensor !== undefined) this.tensors.release(tensor);
      throw error;
    } finally {
      this.tensors.release(source);
      value.arrival = undefined;
    }
  }
}

function emptyArray({ dtype, shape }: NativeValue): NdArray {
  const size = sizeOf(shape);
  if (dtype === 'float32') return { dtype, shape, data: new Float32Array(size) };
  if (dtype === 'int32') return { dtype, shape, data: new Int32Array(size) };
  return { dtype, shape, data: new Uint8Array(size) };
}
