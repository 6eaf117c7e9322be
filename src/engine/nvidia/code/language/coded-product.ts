/**
 * The kernel that multiplies a few rows with matrices of 8 bits. It takes as long as the codes take to be read: a warp has
 * two outputs, a lane reads 16 codes of each at once, and what it reads of x serves both.
 */
import { partsOf, zeroCode } from '../../../ops/quantised-linear.js';
import { literal } from '../../loops/operators.js';
import type { Value } from '../../loops/value.js';
import { affine } from '../../loops/views.js';
import { type KernelCode, threads } from '../kernel.js';
import { Pointers } from '../scope.js';
import { rowOf } from './code-parts.js';

/** Outputs of a warp. */
const outputsPerWarp = 2;

/** @param value [rows, outputs], coded */
export function codedProductKernel(value: Value): KernelCode {
  const { x, parts } = partsOf<Value>(value.made.kind === 'coded' ? value.made.inputs : []);
  const [rows, outputs] = value.shape as [number, number];
  const inputs = x.shape[1]!;
  const pointers = new Pointers();
  const given = pointers.nameOf(affine(x)!.base);
  const row = rowOf(pointers, parts);
  const target = pointers.nameOf(value, true);
  const zero = literal(zeroCode);
  const lines = inputs % 16 === 0 ? vectorLines(given, rows, inputs, zero) : singleLines(given, rows, inputs, zero);
  const text = `(${pointers.declarations()}) {
  const unsigned lane = threadIdx.x % WARP, first = (blockIdx.x * ${threads}u + threadIdx.x) / WARP * ${outputsPerWarp}u;
  if (first >= ${outputs}u) return;
  const unsigned char* codes[${outputsPerWarp}];
  float sums[${outputsPerWarp}][${rows}];
  #pragma unroll
  for (unsigned t = 0; t < ${outputsPerWarp}u; t++) {
    const unsigned o = first + t < ${outputs}u ? first + t : ${outputs - 1}u;
    codes[t] = ${row.codes};
    for (unsigned n = 0; n < ${rows}u; n++) sums[t][n] = 0.0f;
  }
  ${lines}
  #pragma unroll
  for (unsigned t = 0; t < ${outputsPerWarp}u; t++) {
    const unsigned o = first + t;
    #pragma unroll
    for (unsigned n = 0; n < ${rows}u; n++) {
      ACROSS(sumOf, sums[t][n])
      if (lane == 0 && o < ${outputs}u) ${target}[n * ${outputs}u + o] = sums[t][n] * (${row.scale});
    }
  }
}`;
  const warps = Math.ceil(outputs / outputsPerWarp);
  return { text, values: pointers.values, blocks: Math.ceil((warps * 32) / threads) };
}

/** 16 codes of each output at once. */
function vectorLines(x: string, rows: number, inputs: number, zero: string): string {
  return `#pragma unroll 4
  for (unsigned k = lane * 16u; k < ${inputs}u; k += WARP * 16u) {
    uint4 read[${outputsPerWarp}];
    #pragma unroll
    for (unsigned t = 0; t < ${outputsPerWarp}u; t++) read[t] = *(const uint4*)(codes[t] + k);
    #pragma unroll
    for (unsigned part = 0; part < 4u; part++) {
      float4 numbers[${rows}];
      #pragma unroll
      for (unsigned n = 0; n < ${rows}u; n++) numbers[n] = *(const float4*)(${x} + n * ${inputs}u + k + part * 4u);
      #pragma unroll
      for (unsigned t = 0; t < ${outputsPerWarp}u; t++) {
        const unsigned four = part == 0u ? read[t].x : part == 1u ? read[t].y : part == 2u ? read[t].z : read[t].w;
        const float c0 = (float)(four & 255u) - ${zero}, c1 = (float)(four >> 8 & 255u) - ${zero};
        const float c2 = (float)(four >> 16 & 255u) - ${zero}, c3 = (float)(four >> 24) - ${zero};
        #pragma unroll
        for (unsigned n = 0; n < ${rows}u; n++)
          sums[t][n] += c0 * numbers[n].x + c1 * numbers[n].y + c2 * numbers[n].z + c3 * numbers[n].w;
      }
    }
  }`;
}

/** Rows of codes that do not begin in steps of 16 bytes. */
function singleLines(x: string, rows: number, inputs: number, zero: string): string {
  return `for (unsigned k = lane; k < ${inputs}u; k += WARP)
    for (unsigned t = 0; t < ${outputsPerWarp}u; t++) {
      const float code = (float)codes[t][k] - ${zero};
      for (unsigned n = 0; n < ${rows}u; n++) sums[t][n] += code * ${x}[n * ${inputs}u + k];
    }`;
}
