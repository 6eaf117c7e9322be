/** One NVIDIA card as the engine sees it: memory, kernels, matrix products, and graphs of launches. All work goes to one stream, in order. */

/** A device address; a plain number: addresses are below 2^53. */
export type Address = number;
export type DeviceType = 'float32' | 'bfloat16';

/** `tf32` rounds float32 operands to 10 bits of mantissa; `mixed` has bfloat16 operands. All sum in float32. */
export type ProductPrecision = 'float32' | 'tf32' | 'mixed';

/** A matrix in row-major order, or many of them. */
export interface MatrixOperand {
  /** Of the first matrix; ignored where `table` is given. */
  readonly address: Address;
  readonly type: DeviceType;
  /** Elements from row to row. */
  readonly pitch: number;
  /** Whether the stored matrix is the transpose of the operand. Default false. */
  readonly transposed?: boolean;
  /** Elements from matrix to matrix (strided batches). Default 0: the same one for all. */
  readonly stride?: number;
  /** Device address of an array of `count` device addresses (pointer batches), for all three operands or none. */
  readonly table?: Address;
}

/** c = alpha op(a) op(b) [m, n], of inner extent k; `count` of them. a and b have one type; c is float32, or of their type. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly alpha: number;
  readonly count: number;
  readonly a: MatrixOperand;
  readonly b: MatrixOperand;
  readonly c: MatrixOperand;
}

/** A compiled kernel: every parameter is a pointer. */
export interface Kernel {
  readonly name: string;
}

export interface RecordedGraph {
  launch(): void;
  release(): void;
}

export interface Card {
  readonly name: string;
  readonly computeCapability: readonly [number, number];
  /** Bytes free and in all. */
  memory(): { readonly free: number; readonly total: number };
  /**
   * Contents are undefined.
   * @throws TrialError (out of memory) with what was asked and what is free
   */
  allocate(bytes: number): Address;
  release(address: Address): void;
  /** Queued behind what was queued before; the host array may change after the call returns. */
  upload(to: Address, from: ArrayBufferView): void;
  /** What the memory holds after all work that is queued at the call, without blocking the JavaScript thread. */
  download(from: Address, to: ArrayBufferView): Promise<void>;
  copy(to: Address, from: Address, bytes: number): void;
  /**
   * Compiles CUDA C++ (NVRTC, C++17, no fast math, functions are __device__ by default, WARP is the lanes of a warp) that
   * defines `extern "C" __global__ void` functions whose parameters are pointers.
   * @throws Error with the compiler's log and the line of the source
   */
  compile(source: string, names: readonly string[]): Kernel[];
  /** One-dimensional grids; `addresses` has one entry for each parameter. */
  launch(kernel: Kernel, blocks: number, threads: number, addresses: readonly Address[]): void;
  multiply(product: Product, precision: ProductPrecision): void;
  /** Records what `work` queues (launches, products, copies between device addresses) instead of doing it. */
  record(work: () => void): RecordedGraph;
  synchronise(): Promise<void>;
  /** Waits for all work and gives everything back, memory included. */
  dispose(): void;
}
