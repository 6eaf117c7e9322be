/**
 * Products with matrices of 8 bits. A few rows, as tokens are when they are generated, are multiplied with the codes as
 * they are read. For many rows a matrix is made float32, or bfloat16 in `mixed`, which holds all codes
 * exactly, in memory that it needs for its product alone: its scales go into the sums.
 */
import { sizeOf } from '../../../../shared/arrays.js';
import { partsOf } from '../../../ops/quantised-linear.js';
import { intOf } from '../attributes.js';
import type { Convert } from '../conversion.js';
import { product } from '../products.js';
import type { Value } from '../value.js';
import { isWhole } from '../views.js';

/** Rows that are multiplied with codes: all that beams of four need. */
const fewRows = 4;

/** x W^T, and of `turned` x W, where W [out, in] is (codes - zeroCode) scale, in parts one below the other. */
export const quantisedProduct: Convert = ({ values, node, given, products }) => {
  const { x, parts } = partsOf(given as readonly Value[]);
  const rows = values.reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
  const isTurned = intOf(node.attributes['turned']) === 1;
  const shapeOf = (width: number) => [...x.shape.slice(0, -1), width];
  if (!isTurned && rows.shape[0]! <= fewRows) {
    const width = parts.reduce((sum, { codes }) => sum + codes.shape[0]!, 0);
    const operand = isWhole(rows) ? rows : values.map('$0', [rows]);
    const inputs = [operand, ...parts.flatMap(({ codes, scale }) => [codes, scale])];
    return values.reshape(values.make({ kind: 'coded', inputs }, [rows.shape[0]!, width], 'float32'), shapeOf(width));
  }
  const codes = parts.map((part) => part.codes);
  const matrix = values.make(
    { kind: 'decoded', only: node.outputs[0]!, inputs: codes },
    [codes.reduce((sum, { shape }) => sum + shape[0]!, 0), codes[0]!.shape[1]!],
    products.isMixed ? 'bfloat16' : 'float32',
  );
  const scales = parts.map((part) => part.scale);
  const scale =
    scales.length === 1
      ? scales[0]!
      : values.make({ kind: 'concat', axis: 0, inputs: scales }, [matrix.shape[0]!], 'float32');
  const result = isTurned
    ? product(values, products, values.map('$0 * $1', [rows, scale]), matrix)
    : values.map('$0 * $1', [product(values, products, rows, values.transpose(matrix, [1, 0])), scale]);
  return values.reshape(result, shapeOf(result.shape[1]!));
};
