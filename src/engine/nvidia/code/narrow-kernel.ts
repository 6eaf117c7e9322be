/** The kernel that makes bfloat16 of float32, for weights that are kept so. */
import { threads } from './kernel.js';

export const narrowBlocks = (elements: number) => Math.ceil(elements / threads);

export function narrowText(elements: number): string {
  return `(const float* __restrict__ from, unsigned short* __restrict__ to) {
  const unsigned i = blockIdx.x * ${threads}u + threadIdx.x;
  if (i < ${elements}u) to[i] = narrowed(rounded(from[i]));
}`;
}
