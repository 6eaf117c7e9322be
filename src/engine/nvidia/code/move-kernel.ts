/** The kernel that copies what a program reads and writes to and from its own memory. */
import { threads } from './kernel.js';

/** Blocks that copy one value. */
export const parts = 32;

/** Copies values from one address to another: a table of [from, to, bytes], 64 bits each. */
export const moveText = `(const unsigned long long* __restrict__ table) {
  const unsigned long long* entry = table + 3 * (blockIdx.x / ${parts}u);
  const unsigned long long from = entry[0], to = entry[1], bytes = entry[2];
  const unsigned long long first = (blockIdx.x % ${parts}u) * ${threads}u + threadIdx.x, step = ${parts * threads}u;
  if ((from | to | bytes) % 16 == 0) {
    struct Four { unsigned a, b, c, d; };
    for (unsigned long long i = first; i < bytes / 16; i += step) ((Four*)to)[i] = ((const Four*)from)[i];
  } else {
    for (unsigned long long i = first; i < bytes / 4; i += step) ((unsigned*)to)[i] = ((const unsigned*)from)[i];
    const unsigned long long rest = bytes / 4 * 4 + first;
    if (rest < bytes) ((unsigned char*)to)[rest] = ((const unsigned char*)from)[rest];
  }
}`;
