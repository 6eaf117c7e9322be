/** The kernel that makes numbers of codes, for a product of many rows: 16 of a thread, read and written at once. */
import { sizeOf } from '../../../../shared/arrays.js';
import { zeroCode } from '../../../ops/quantised-linear.js';
import { literal } from '../../loops/operators.js';
import type { Value } from '../../loops/value.js';
import { type KernelCode, threads } from '../kernel.js';
import { Pointers } from '../scope.js';
import { rowOf } from './code-parts.js';

/** @param value [rows, width] of float32, or of bfloat16, which holds codes exactly; decoded */
export function decodedMatrixKernel(value: Value): KernelCode {
  const inputs = value.made.kind === 'decoded' ? value.made.inputs : [];
  const width = value.shape[1]!;
  const pointers = new Pointers();
  const row = rowOf(
    pointers,
    inputs.map((codes) => ({ codes })),
  );
  const target = pointers.nameOf(value, true);
  const isNarrow = value.type === 'bfloat16';
  const each = width % 16 === 0 ? 16 : 1;
  const total = sizeOf(value.shape);
  const text = `(${pointers.declarations()}) {
  const unsigned i = (blockIdx.x * ${threads}u + threadIdx.x) * ${each}u;
  if (i >= ${total}u) return;
  const unsigned o = i / ${width}u, k = i % ${width}u;
  const unsigned char* codes = (${row.codes}) + k;
  ${each === 16 ? vectorLines(target, isNarrow) : singleLine(target, isNarrow)}
}`;
  return { text, values: pointers.values, blocks: Math.ceil(total / each / threads) };
}

const numberOf = (code: string) => `(float)(${code}) - ${literal(zeroCode)}`;

function singleLine(target: string, isNarrow: boolean): string {
  const number = numberOf('*codes');
  return `${target}[i] = ${isNarrow ? `narrowed(${number})` : number};`;
}

/** Four words of four codes; two numbers of 16 bits are a word, the first one below. */
function vectorLines(target: string, isNarrow: boolean): string {
  const numbers = [0, 8, 16, 24].map((bits) => numberOf(`four >> ${bits} & 255u`));
  const pairs = [0, 2].map((at) => `(unsigned)narrowed(${numbers[at]}) | (unsigned)narrowed(${numbers[at + 1]}) << 16`);
  const written = isNarrow
    ? `*(uint2*)(${target} + i + part * 4u) = make_uint2(${pairs.join(', ')});`
    : `*(float4*)(${target} + i + part * 4u) = make_float4(${numbers.join(', ')});`;
  return `const uint4 read = *(const uint4*)codes;
  #pragma unroll
  for (unsigned part = 0; part < 4u; part++) {
    const unsigned four = part == 0u ? read.x : part == 1u ? read.y : part == 2u ? read.z : read.w;
    ${written}
  }`;
}
