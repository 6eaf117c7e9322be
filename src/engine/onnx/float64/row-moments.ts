/**
 * Sums over the rows of tall matrices in float64, as the normal equations of least squares want them: one program reads
 * float32 and does the widening, the averaging and the products.
 */
import { availableParallelism } from 'node:os';
import type { Float32NdArray } from '../../../shared/arrays.js';
import { elementTypeCodes, type GraphConstant, type GraphNode, type ModelValue } from '../model-proto.js';
import * as ort from '../runtime.js';
import { float64Data, float64Tensor, openFloat64 } from './session.js';

/** Of X [rows, from]. */
export interface InputSums {
  /** [from] */
  readonly sum: Float64Array;
  /** Xᵀ X [from, from] */
  readonly gram: Float64Array;
}

/** Of Y [rows, width], together with X. */
export interface TargetSums {
  /** [width] */
  readonly sum: Float64Array;
  /** Xᵀ Y [from, width] */
  readonly cross: Float64Array;
  /** Of all entries of Y: [1] */
  readonly squares: Float64Array;
}

export interface RowSums {
  readonly inputs: InputSums;
  readonly targets: readonly TargetSums[];
}

export interface RowMoments {
  /**
   * @param inputs X [rows, from]
   * @param targets each Y as the matrices [rows, width] whose mean it is, as many as `sums` has targets
   * @returns the sums with the rows added
   */
  add(sums: RowSums, inputs: Float32NdArray, targets: readonly (readonly Float32NdArray[])[]): Promise<RowSums>;
  dispose(): Promise<void>;
}

export function openRowMoments(threads = availableParallelism()): RowMoments {
  // By how many matrices each target is the mean of: extents may differ from call to call.
  const sessions = new Map<string, Promise<ort.InferenceSession>>();
  const sessionFor = (counts: readonly number[]) => {
    const session = sessions.get(`${counts}`) ?? openMoments(counts, threads);
    sessions.set(`${counts}`, session);
    return session;
  };
  return {
    async add({ inputs: { sum, gram }, targets: sums }, inputs, targets) {
      const session = await sessionFor(targets.map(({ length }) => length));
      const from = inputs.shape[1]!;
      const feeds: Record<string, ort.Tensor> = {
        x: float32Tensor(inputs),
        'x sum': float64Tensor(sum, [1, from]),
        gram: float64Tensor(gram, [from, from]),
      };
      for (const [target, matrices] of targets.entries()) {
        for (const [index, matrix] of matrices.entries()) feeds[`y${target} ${index}`] = float32Tensor(matrix);
        const { sum, cross, squares } = sums[target]!;
        feeds[`sum ${target}`] = float64Tensor(sum, [1, sum.length]);
        feeds[`cross ${target}`] = float64Tensor(cross, [from, sum.length]);
        feeds[`squares ${target}`] = float64Tensor(squares, [1, 1]);
      }
      const results = await session.run(feeds);
      const added = (name: string) => float64Data(results[`new ${name}`]);
      return {
        inputs: { sum: added('x sum'), gram: added('gram') },
        targets: targets.map((_, target) => ({
          sum: added(`sum ${target}`),
          cross: added(`cross ${target}`),
          squares: added(`squares ${target}`),
        })),
      };
    },
    async dispose() {
      for (const session of sessions.values()) await (await session).release();
      sessions.clear();
    },
  };
}

/** The axis of the rows. */
const rowAxis: GraphConstant = { name: 'row axis', dtype: 'int64', shape: [1], bytes: new Uint8Array(8) };

const float32Tensor = ({ data, shape }: Float32NdArray) => new ort.Tensor('float32', data, shape);

function openMoments(counts: readonly number[], threads: number): Promise<ort.InferenceSession> {
  const nodes: Omit<GraphNode, 'domain'>[] = [];
  const inputs: ModelValue[] = [];
  const outputs: ModelValue[] = [];
  const node = (operator: string, of: readonly string[], output: string, attributes: GraphNode['attributes'] = {}) => {
    nodes.push({ operator, inputs: of, outputs: [output], attributes });
    return output;
  };
  const given = (name: string, width: string) => {
    inputs.push({ name, shape: ['rows', width], dtype: 'float32' });
    return name;
  };
  const widened = (name: string) => node('Cast', [name], `wide ${name}`, { to: { int: elementTypeCodes.float64 } });
  /** A sum that comes in as `name` and goes out as `new name`. */
  const sumUp = (name: string, shape: ModelValue['shape'], add: (before: string, after: string) => void) => {
    inputs.push({ name, shape, dtype: 'float64' });
    outputs.push({ name: `new ${name}`, shape, dtype: 'float64' });
    add(name, `new ${name}`);
  };
  const kept = { keepdims: { int: 1 } };
  const addColumns = (of: string) => (before: string, after: string) =>
    void node('Add', [before, node('ReduceSum', [of, rowAxis.name], `columns of ${of}`, kept)], after);
  const addSquares = (of: string) => (before: string, after: string) =>
    void node('Add', [before, node('ReduceSumSquare', [of], `squares of ${of}`, kept)], after);
  const addProduct = (right: string) => (before: string, after: string) =>
    void node('Gemm', [x, right, before], after, { transA: { int: 1 } });

  const x = widened(given('x', 'from'));
  sumUp('x sum', [1, 'from'], addColumns(x));
  sumUp('gram', ['from', 'from'], addProduct(x));
  for (const [target, count] of counts.entries()) {
    const width = `to ${target}`;
    const matrices = Array.from({ length: count }, (_, index) => given(`y${target} ${index}`, width));
    const y = widened(count === 1 ? matrices[0]! : node('Mean', matrices, `y${target}`));
    sumUp(`sum ${target}`, [1, width], addColumns(y));
    sumUp(`cross ${target}`, ['from', width], addProduct(y));
    sumUp(`squares ${target}`, [1, 1], addSquares(y));
  }
  return openFloat64({ nodes, constants: [rowAxis], inputs, outputs }, threads);
}
