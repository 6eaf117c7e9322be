/** Matrix products in float64. */
import { availableParallelism } from 'node:os';
import { float64Data, float64Tensor, openFloat64 } from './session.js';

export interface MatrixProduct {
  /**
   * @param left [n, n], row-major
   * @param right [n, columns]
   * @returns left right, or leftᵀ right [n, columns]
   */
  multiply(left: Float64Array, right: Float64Array, n: number, transposed?: boolean): Promise<Float64Array>;
  dispose(): Promise<void>;
}

export async function openMatrixProduct(threads = availableParallelism()): Promise<MatrixProduct> {
  const value = (name: string, shape: readonly string[]) => ({ name, shape, dtype: 'float64' as const });
  const open = (transposed: boolean) =>
    openFloat64(
      {
        nodes: [
          {
            operator: 'Gemm',
            inputs: ['left', 'right'],
            outputs: ['product'],
            attributes: { transA: { int: transposed ? 1 : 0 } },
          },
        ],
        constants: [],
        inputs: [value('left', ['n', 'n']), value('right', ['n', 'columns'])],
        outputs: [value('product', ['n', 'columns'])],
      },
      threads,
    );
  const [plain, turned] = [await open(false), await open(true)];
  return {
    async multiply(left, right, n, transposed = false) {
      const { product } = await (transposed ? turned : plain).run({
        left: float64Tensor(left, [n, n]),
        right: float64Tensor(right, [n, right.length / n]),
      });
      return float64Data(product);
    },
    async dispose() {
      await plain.release();
      await turned.release();
    },
  };
}
