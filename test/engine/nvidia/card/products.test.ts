/** Every form of a product against a plain sum in double precision, on cuBLAS or on the stand-in's, which has column-major matrices too. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Card, MatrixOperand, ProductPrecision } from '../../../../src/engine/nvidia/card/card.js';
import { noTestCard, onRealCard, openTestCard } from '../stand-in/stand-in.js';

const skip = noTestCard;
let card: Card;
before(async () => {
  if (!skip) card = await openTestCard();
});
after(() => card?.dispose());

const [m, n, k] = [3, 4, 5];
/** Values between matrices and behind rows, which no product may read or write. */
const untouched = -77;

interface Stored {
  /** Rows and columns of the operand. */
  readonly shape: readonly [number, number];
  readonly transposed?: boolean;
  /** Elements behind each row. */
  readonly padding?: number;
  readonly bfloat16?: boolean;
  readonly count?: number;
}

/** Multiples of 1/8 below 4: exact in bfloat16. */
const entry = (matrix: number, row: number, column: number) => ((7 * matrix + 5 * row + 3 * column) % 31) / 8 - 1.5;

const truncated = (value: number) => new Uint16Array(Float32Array.of(value).buffer)[1]!;
const widened = (bits: number) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;

function placeOf({ shape, transposed, padding = 0 }: Stored) {
  const [rows, columns] = transposed ? [shape[1], shape[0]] : shape;
  const [pitch, size] = [columns + padding, rows * (columns + padding) + 2];
  const at = (matrix: number, row: number, column: number) =>
    matrix * size + (transposed ? column * pitch + row : row * pitch + column);
  return { pitch, size, at };
}

function upload(stored: Stored, isFilled: boolean): MatrixOperand {
  const { shape, bfloat16 = false, count = 1 } = stored;
  const { pitch, size, at } = placeOf(stored);
  const values = new Float32Array(size * count).fill(untouched);
  for (let matrix = 0; matrix < count && isFilled; matrix++) {
    for (let row = 0; row < shape[0]; row++) {
      for (let column = 0; column < shape[1]; column++) values[at(matrix, row, column)] = entry(matrix, row, column);
    }
  }
  const array = bfloat16 ? Uint16Array.from(values, truncated) : values;
  const address = card.allocate(array.byteLength);
  card.upload(address, array);
  const type = bfloat16 ? 'bfloat16' : 'float32';
  return { address, type, pitch, stride: size, ...(stored.transposed && { transposed: true }) };
}

async function download(operand: MatrixOperand, stored: Stored): Promise<number[]> {
  const count = placeOf(stored).size * (stored.count ?? 1);
  const array = stored.bfloat16 ? new Uint16Array(count) : new Float32Array(count);
  await card.download(operand.address, array);
  return stored.bfloat16 ? Array.from(array, widened) : [...array];
}

/** What the memory of c holds afterwards. */
function expected(c: Stored, matrixOf: (index: number) => readonly [number, number], alpha: number): number[] {
  const { at, size } = placeOf(c);
  const values = new Array<number>(size * (c.count ?? 1)).fill(untouched);
  for (let index = 0; index < (c.count ?? 1); index++) {
    const [a, b] = matrixOf(index);
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let sum = 0;
        for (let inner = 0; inner < k; inner++) sum += entry(a, row, inner) * entry(b, inner, column);
        values[at(index, row, column)] = alpha * sum;
      }
    }
  }
  return values;
}

/** Sums of exact products of few bits: float32 holds them exactly, bfloat16 keeps 8 bits of them. */
function assertClose(actual: readonly number[], wanted: readonly number[], isBfloat16: boolean, what: string) {
  for (const [index, value] of wanted.entries()) {
    const tolerance = isBfloat16 && value !== untouched ? Math.abs(value) / 256 : 0;
    assert.ok(Math.abs(actual[index]! - value) <= tolerance, `${what}: [${index}] is ${actual[index]}, not ${value}`);
  }
}

const forms = [false, true].flatMap((a) => [false, true].flatMap((b) => [false, true].map((c) => ({ a, b, c }))));

test('one product of any orientation and pitch, in any precision', { skip }, async () => {
  for (const { a, b, c } of forms) {
    for (const [precision, bfloat16] of [
      ['float32', false],
      ['tf32', false],
      ['mixed', true],
    ] as const satisfies (readonly [ProductPrecision, boolean])[]) {
      const left: Stored = { shape: [m, k], transposed: a, padding: 2, bfloat16 };
      const right: Stored = { shape: [k, n], transposed: b, padding: 1, bfloat16 };
      const result: Stored = { shape: [m, n], transposed: c, padding: 3, bfloat16: bfloat16 && a };
      const out = upload(result, false);
      const operands = { a: upload(left, true), b: upload(right, true), c: out };
      card.multiply({ m, n, k, alpha: 0.5, count: 1, ...operands }, precision);
      const what = `${precision} ${JSON.stringify({ a, b, c })}`;
      assertClose(
        await download(out, result),
        expected(result, () => [0, 0], 0.5),
        result.bfloat16!,
        what,
      );
    }
  }
});

test('many products at a stride, or with one matrix for all', { skip }, async () => {
  const count = 3;
  for (const { a, b, c } of forms) {
    const result: Stored = { shape: [m, n], transposed: c, count };
    const [out, left] = [upload(result, false), upload({ shape: [m, k], transposed: a, count }, true)];
    const { stride: _, ...right } = upload({ shape: [k, n], transposed: b, padding: 1 }, true);
    card.multiply({ m, n, k, alpha: 1, count, a: left, b: right, c: out }, 'float32');
    assertClose(
      await download(out, result),
      expected(result, (index) => [index, 0], 1),
      false,
      JSON.stringify({ a, b, c }),
    );
  }
});

test('many products of matrices that a table names', { skip }, async () => {
  const count = 2;
  const [left, right, result] = [
    { shape: [m, k], count },
    { shape: [k, n], transposed: true, count },
    { shape: [m, n], count },
  ] as const satisfies Stored[];
  const operands = [upload(left, true), upload(right, true), upload(result, false)] as const;
  const tables = operands.map(({ address, stride }, which) => {
    const order = which === 1 ? [1, 0] : [0, 1]; // the second matrices in the other order
    const table = BigUint64Array.from(order, (index) => BigInt(address + 4 * index * stride!));
    const place = card.allocate(table.byteLength);
    card.upload(place, table);
    return place;
  });
  const [a, b, c] = operands.map((operand, which) => ({ ...operand, address: 0, table: tables[which]! }));
  card.multiply({ m, n, k, alpha: 2, count, a: a!, b: b!, c: c! }, 'float32');
  assertClose(
    await download(operands[2], result),
    expected(result, (index) => [index, 1 - index], 2),
    false,
    'tables',
  );
});

test('tf32 rounds what is multiplied to ten bits, float32 does not', { skip }, async () => {
  const value = 1 + 2 ** -12;
  const address = card.allocate(8);
  card.upload(address, Float32Array.of(value, 0));
  const matrix = (place: number) => ({ address: place, type: 'float32', pitch: 1 }) as const;
  for (const [precision, wanted] of [
    ['tf32', 1],
    ['float32', Math.fround(value * value)],
  ] as const) {
    const [a, c] = [matrix(address), matrix(address + 4)];
    card.multiply({ m: 1, n: 1, k: 1, alpha: 1, count: 1, a, b: a, c }, precision);
    const out = new Float32Array(1);
    await card.download(address + 4, out);
    // cuBLAS may round for tf32, and need not.
    assert.ok(out[0] === wanted || (onRealCard && out[0] === Math.fround(value * value)), `${precision}: ${out[0]}`);
  }
});

test('types that cuBLAS does not multiply are named', { skip }, () => {
  const address = card.allocate(4);
  const float32 = { address, type: 'float32', pitch: 1 } as const;
  const c = { ...float32, type: 'bfloat16' } as const;
  assert.throws(
    () => card.multiply({ m: 1, n: 1, k: 1, alpha: 1, count: 1, a: float32, b: float32, c }, 'float32'),
    /float32 product 1 x \[1, 1\] \[1, 1\], float32 to bfloat16: .*cublasGemmEx failed: /,
  );
});

test('the stand-in refuses products that reach beyond their memory', { skip: onRealCard || skip }, () => {
  const matrix = (pitch: number) => ({ address: card.allocate(1024), type: 'float32', pitch }) as const;
  const product = (pitch: number) => ({
    m: 16,
    n: 16,
    k: 16,
    alpha: 1,
    count: 1,
    a: matrix(pitch),
    b: matrix(16),
    c: matrix(16),
  });
  card.multiply(product(16), 'float32');
  assert.throws(() => card.multiply(product(17), 'float32'), /CUBLAS_STATUS_EXECUTION_FAILED/);
});
