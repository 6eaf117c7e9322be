/**
 * Matrix products by cuBLAS (cublas_api.h). It has matrices in column-major order: what is stored row by row is its transpose there, so
 * c = op(a) op(b) is asked for as its transpose, op(b)' op(a)'.
 */
import type { LibraryHandle } from 'koffi';
import { messageOf } from '../../../shared/errors.js';
import koffi from '../../koffi.js';
import type { DeviceType, MatrixOperand, Product, ProductPrecision } from './card.js';
import { CardError, type Driver, declarer, made } from './driver.js';

/** cudaDataType_t. */
const types: Readonly<Record<DeviceType, number>> = { float32: 0, bfloat16: 14 };
/** cublasComputeType_t: 32F and 32F_FAST_TF32. */
const computeTypes: Readonly<Record<ProductPrecision, number>> = { float32: 68, tf32: 77, mixed: 68 };
/** cublasGemmAlgo_t. */
const defaultAlgorithm = -1;
/** What NVIDIA recommends for Hopper; the workspace that cuBLAS allocates itself may not be part of a recorded graph. */
const workspaceBytes = 32 * 2 ** 20;

function bindBlas(library: LibraryHandle) {
  const meaningOf: (status: number) => string = library.func('const char *cublasGetStatusString(int status)');
  const declare = declarer(library, (name, status) => new CardError(`the card: ${name} failed: ${meaningOf(status)}`));
  const sizes = 'void *handle, int transposeA, int transposeB, int m, int n, int k, uintptr_t alpha';
  const matrix = (name: string) => `uintptr_t ${name}, int ${name}Type, int ${name}Pitch`;
  const strided = (name: string) => `${matrix(name)}, long long ${name}Stride`;
  const how = 'int computeType, int algorithm';
  return {
    create: declare('int cublasCreate_v2(_Out_ void **handle)'),
    destroy: declare('int cublasDestroy_v2(void *handle)'),
    setStream: declare('int cublasSetStream_v2(void *handle, uintptr_t stream)'),
    setWorkspace: declare('int cublasSetWorkspace_v2(void *handle, uintptr_t workspace, size_t bytes)'),
    multiply: declare(
      `int cublasGemmEx(${sizes}, ${matrix('a')}, ${matrix('b')}, uintptr_t beta, ${matrix('c')}, ${how})`,
    ),
    multiplyStrided: declare(
      `int cublasGemmStridedBatchedEx(${sizes}, ${strided('a')}, ${strided('b')}, uintptr_t beta, ${strided('c')}, int count, ${how})`,
    ),
    multiplyTables: declare(
      `int cublasGemmBatchedEx(${sizes}, ${matrix('a')}, ${matrix('b')}, uintptr_t beta, ${matrix('c')}, int count, ${how})`,
    ),
  };
}

export class Products {
  readonly #blas: ReturnType<typeof bindBlas>;
  readonly #handle: unknown;
  readonly #workspace: number;
  /** alpha and beta, read by cuBLAS during the call. */
  readonly #scalars: bigint = koffi.alloc('float', 2);
  readonly #alpha = new Float32Array(koffi.view(this.#scalars, 8));
  readonly #alphaAddress = Number(this.#scalars);
  readonly #betaAddress = this.#alphaAddress + 4;

  constructor(
    library: LibraryHandle,
    readonly driver: Driver,
    stream: number,
  ) {
    this.#blas = bindBlas(library);
    const out: [unknown] = [null];
    this.#blas.create(out);
    this.#handle = out[0];
    this.#workspace = made(driver.memoryAllocate, workspaceBytes);
    this.#blas.setStream(this.#handle, stream); // before the workspace, which it would take away
    this.#blas.setWorkspace(this.#handle, this.#workspace, workspaceBytes);
    this.#alpha[1] = 0; // beta
  }

  multiply(product: Product, precision: ProductPrecision): void {
    try {
      this.#multiply(product, precision);
    } catch (error) {
      const { m, n, k, count, a, c } = product;
      const what = `${count} x [${m}, ${k}] [${k}, ${n}], ${a.type} to ${c.type}`;
      throw new Error(`${precision} product ${what}: ${messageOf(error)}`, { cause: error });
    }
  }

  #multiply(product: Product, precision: ProductPrecision): void {
    const { m, n, k, count } = product;
    // The transpose of a transposed c is asked for as it is.
    const [rows, columns] = product.c.transposed ? [m, n] : [n, m];
    const [a, b, c] = product.c.transposed ? [product.a, product.b, product.c] : [product.b, product.a, product.c];
    const isTransposed = (operand: MatrixOperand) => Number((operand.transposed ?? false) !== (c.transposed ?? false));
    this.#alpha[0] = product.alpha;
    const sizes = [this.#handle, isTransposed(a), isTransposed(b), rows, columns, k, this.#alphaAddress] as const;
    const [typeA, typeB, typeC] = [types[a.type], types[b.type], types[c.type]];
    const how = computeTypes[precision];
    if (c.table !== undefined) {
      // biome-ignore format: as cublas_api.h
      this.#blas.multiplyTables(...sizes, a.table, typeA, a.pitch, b.table, typeB, b.pitch, this.#betaAddress,
        c.table, typeC, c.pitch, count, how, defaultAlgorithm);
    } else if (count === 1) {
      // biome-ignore format: as cublas_api.h
      this.#blas.multiply(...sizes, a.address, typeA, a.pitch, b.address, typeB, b.pitch, this.#betaAddress,
        c.address, typeC, c.pitch, how, defaultAlgorithm);
    } else {
      // biome-ignore format: as cublas_api.h
      this.#blas.multiplyStrided(...sizes, a.address, typeA, a.pitch, a.stride ?? 0, b.address, typeB, b.pitch, b.stride ?? 0,
        this.#betaAddress, c.address, typeC, c.pitch, c.stride ?? 0, count, how, defaultAlgorithm);
    }
  }

  dispose(): void {
    this.#blas.destroy(this.#handle);
    this.driver.memoryFree(this.#workspace);
    koffi.free(this.#scalars);
  }
}
