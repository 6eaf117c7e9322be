/**
 * The kernel of attention to what is kept: a block for each head of each new token. Its warps share the keys and each goes
 * along with a running maximum (Milakov and Gimelshein 2018), so that scores are never written, and only as many keys are
 * read as there are: how many, a number on the card says.
 */
import { sizeOf } from '../../../../shared/arrays.js';
import { literal } from '../../loops/operators.js';
import type { Value } from '../../loops/value.js';
import { type KernelCode, threads } from '../kernel.js';
import { Pointers, Scope } from '../scope.js';

/** Keys that a warp takes at once: sums across lanes wait for each other. */
const together = 4;

/** @param value [texts, tokens, heads * headWidth], attended */
export function cachedAttentionKernel(value: Value): KernelCode {
  if (value.made.kind !== 'attended') throw new Error(`${value.made.kind} is no attention`);
  const [query, kept, owners, first] = value.made.inputs;
  const { heads } = value.made;
  const [texts, tokens] = value.shape as [number, number];
  const [, , groups, capacity, width] = kept.shape as [number, number, number, number, number];
  const warps = threads / 32;
  const pieces = Math.ceil(width / 32);
  const pointers = new Pointers();
  const outer = new Scope(pointers, new Set(), { count: 0 });
  const start = outer.element(first, { shape: first.shape, flat: '0u' });
  const inner = new Scope(pointers, new Set(), { count: 100 });
  const at = `(text * ${tokens}u + token) * ${heads * width}u + head * ${width}u + c`;
  const element = inner.element(query, { shape: query.shape, flat: 'e' });
  const [rows, owner, target] = [pointers.nameOf(kept), pointers.nameOf(owners), pointers.nameOf(value, true)];
  const inside = width % 32 === 0 ? '' : `if (piece * WARP + lane < ${width}u) `;
  const overPieces = (line: string) => `#pragma unroll
    for (unsigned piece = 0; piece < ${pieces}u; piece++) ${line}`;
  const text = `(${pointers.declarations()}) {
  __shared__ float tops[${warps}], totals[${warps}], mixed[${warps * width}];
  const unsigned lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
  const unsigned head = blockIdx.x % ${heads}u, token = blockIdx.x / ${heads}u % ${tokens}u, text = blockIdx.x / ${heads * tokens}u;
  const unsigned group = head / ${heads / groups}u;
  ${outer.lines.join('\n  ')}
  const unsigned all = (unsigned)${start} + token + 1u, count = all < ${capacity}u ? all : ${capacity}u;
  float asked[${pieces}], sums[${pieces}];
  ${overPieces(`{
    const unsigned c = piece * WARP + lane;
    asked[piece] = sums[piece] = 0.0f;
    ${inside}{
      const unsigned e = ${at};
      ${inner.lines.join('\n      ')}
      asked[piece] = ${element} * ${literal(1 / Math.sqrt(width))};
    }
  }`)}
  float top = -INFINITY, total = 0.0f;
  for (unsigned begin = warp * ${together}u; begin < count; begin += ${warps * together}u) {
    const float* key[${together}];
    float score[${together}];
    #pragma unroll
    for (unsigned k = 0; k < ${together}u; k++) {
      const unsigned j = begin + k < count ? begin + k : count - 1u;
      key[k] = ${rows} + (((unsigned)${owner}[text * ${capacity}u + j] * ${groups}u + group) * ${capacity}u + j) * ${width}u + lane;
      score[k] = 0.0f;
      ${overPieces(`${inside}score[k] += asked[piece] * key[k][piece * WARP];`)}
    }
    float next = top;
    #pragma unroll
    for (unsigned k = 0; k < ${together}u; k++) {
      ACROSS(sumOf, score[k])
      if (begin + k >= count) score[k] = -INFINITY;
      next = maxOf(next, score[k]);
    }
    const float before = expf(top - next);
    total *= before;
    ${overPieces('sums[piece] *= before;')}
    #pragma unroll
    for (unsigned k = 0; k < ${together}u; k++) {
      const float share = expf(score[k] - next);
      total += share;
      ${overPieces(`${inside}sums[piece] += share * key[k][${sizeOf(kept.shape) / 2}u + piece * WARP];`)}
    }
    top = next;
  }
  if (lane == 0) { tops[warp] = top; totals[warp] = total; }
  ${overPieces(`${inside}mixed[warp * ${width}u + piece * WARP + lane] = sums[piece];`)}
  __syncthreads();
  float highest = -INFINITY, whole = 0.0f;
  for (unsigned w = 0; w < ${warps}u; w++) highest = maxOf(highest, tops[w]);
  for (unsigned w = 0; w < ${warps}u; w++) whole += totals[w] * expf(tops[w] - highest);
  for (unsigned c = threadIdx.x; c < ${width}u; c += ${threads}u) {
    float sum = 0.0f;
    for (unsigned w = 0; w < ${warps}u; w++) sum += mixed[w * ${width}u + c] * expf(tops[w] - highest);
    ${target}[${at}] = sum / whole;
  }
}`;
  return { text, values: pointers.values, blocks: texts * tokens * heads };
}
