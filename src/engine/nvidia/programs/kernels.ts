/** Compiled kernels. */
import { createHash } from 'node:crypto';
import type { Card, Kernel } from '../card/card.js';
import { prelude } from '../code/prelude.js';

/** Kernels of a process, by their text. */
export class Kernels {
  private readonly known = new Map<string, Kernel>();

  constructor(private readonly card: Card) {}

  /** Compiles what is new, in one go. */
  prepare(texts: Iterable<string>): void {
    const fresh = [...new Set(texts)].filter((text) => !this.known.has(text));
    if (fresh.length === 0) return;
    const names = fresh.map((text) => `k${createHash('sha256').update(text).digest('hex').slice(0, 16)}`);
    const functions = fresh.map((text, index) => `extern "C" __global__ void ${names[index]}${text}`);
    const kernels = this.card.compile(`${prelude}\n${functions.join('\n')}\n`, names);
    for (const [index, text] of fresh.entries()) this.known.set(text, kernels[index]!);
  }

  of(text: string): Kernel {
    return this.known.get(text)!;
  }
}
