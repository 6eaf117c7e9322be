/**
 * Products of tall matrices in float64: what engines, which compute in float32, lose too many digits of. ONNX Runtime's
 * Gemm multiplies in float64 on the CPU, whatever engine and device are chosen for everything else.
 */
import { availableParallelism } from 'node:os';
import type { Float32NdArray } from '../../shared/arrays.js';
import { encodeModel } from './model-proto.js';
import * as ort from './runtime.js';

export interface CrossProducts {
  /**
   * @param sum [m, n], row-major
   * @param left [rows, m]
   * @param right [rows, n]
   * @returns sum + leftᵀ right [m, n]
   */
  add(sum: Float64Array, left: Float32NdArray, right: Float32NdArray): Promise<Float64Array>;
  dispose(): Promise<void>;
}

export async function openCrossProducts(threads = availableParallelism()): Promise<CrossProducts> {
  const product = { operator: 'Gemm', domain: '', attributes: { transA: { int: 1 } } };
  const model = encodeModel({
    nodes: [{ ...product, inputs: ['left', 'right', 'sum'], outputs: ['result'] }],
    constants: [],
    inputs: [
      { name: 'left', shape: ['rows', 'm'], dtype: 'float64' },
      { name: 'right', shape: ['rows', 'n'], dtype: 'float64' },
      { name: 'sum', shape: ['m', 'n'], dtype: 'float64' },
    ],
    outputs: [{ name: 'result', shape: ['m', 'n'], dtype: 'float64' }],
  });
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    enableCpuMemArena: false,
    logSeverityLevel: 3,
    intraOpNumThreads: threads,
  });
  const [leftDigits, rightDigits] = [widener(), widener()];
  return {
    async add(sum, left, right) {
      const wide = leftDigits(left);
      const { result } = await session.run({
        left: wide,
        right: right === left ? wide : rightDigits(right),
        sum: new ort.Tensor('float64', sum, [left.shape[1]!, right.shape[1]!]),
      });
      if (!(result?.data instanceof Float64Array)) throw new TypeError('a product in float64 was expected');
      return result.data;
    },
    dispose: () => session.release(),
  };
}

/**
 * Copies arrays to float64, into memory that it keeps: fresh memory for every product cost four times as much as the
 * product itself.
 */
function widener(): (array: Float32NdArray) => ort.Tensor {
  let memory = new Float64Array(0);
  return ({ data, shape }) => {
    if (memory.length < data.length) memory = new Float64Array(data.length);
    memory.set(data);
    return new ort.Tensor('float64', memory.subarray(0, data.length), shape);
  };
}
