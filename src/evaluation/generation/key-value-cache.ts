/**
 * The keys and values of the tokens that a language model has seen, on the host. Programs read the arrays as they are and
 * give back the rows of new tokens only, which are written in their place: nothing is copied but these rows, and the
 * whole when the capacity doubles.
 */

import type { Kept } from '../../models/llama/cached.js';
import type { LlamaConfig } from '../../models/llama/config.js';
import { type Float32NdArray, float32, sizeOf } from '../../shared/arrays.js';
import { requireSeen } from './reading.js';

/** Tokens that a new cache has room for. */
const smallestCapacity = 64;

export class KeyValueCache {
  private count = 0;
  private arrays: Kept<Float32NdArray>[];

  /**
   * @param blocks shapes of the keys of each block
   * @param contextLength tokens that all of them can see
   * @param texts of one length, side by side; default 1
   */
  constructor(
    private readonly blocks: readonly Pick<LlamaConfig, 'keyValueHeads' | 'headWidth'>[],
    private readonly contextLength: number,
    private readonly texts = 1,
  ) {
    this.arrays = blocks.map((block) => this.empty(block, smallestCapacity));
  }

  /** Tokens that were written. */
  get filled(): number {
    return this.count;
  }

  /** By block: [texts, keyValueHeads, capacity, headWidth]. */
  get kept(): readonly Kept<Float32NdArray>[] {
    return this.arrays;
  }

  /** Of one text alone, a view: by block [1, keyValueHeads, capacity, headWidth]. */
  keptOf(text: number): readonly Kept<Float32NdArray>[] {
    const view = ({ shape: [, ...shape], data }: Float32NdArray) =>
      float32([1, ...shape], data.subarray(text * sizeOf(shape), (text + 1) * sizeOf(shape)));
    return this.arrays.map(({ keys, values }) => ({ keys: view(keys), values: view(values) }));
  }

  /** Counts tokens that others have written into `kept`, where `makeRoom` has made room for them. */
  advance(count: number): void {
    this.count += count;
  }

  /** Writes the first `count` of the new tokens; `fresh` by block: [texts, keyValueHeads, tokens, headWidth]. */
  write(fresh: readonly Kept<Float32NdArray>[], count: number): void {
    this.makeRoom(count);
    for (const [block, { keys, values }] of this.arrays.entries()) {
      copyRows(fresh[block]!.keys, 0, keys, this.count, count);
      copyRows(fresh[block]!.values, 0, values, this.count, count);
    }
    this.advance(count);
  }

  /** Another cache with the content of some of the texts, in this order; one may be taken several times. */
  select(texts: readonly number[]): KeyValueCache {
    const other = new KeyValueCache(this.blocks, this.contextLength, texts.length);
    other.makeRoom(this.count);
    for (const [place, text] of texts.entries()) {
      const [from, to] = [this.keptOf(text), other.keptOf(place)];
      for (const [block, { keys, values }] of from.entries()) {
        copyRows(keys, 0, to[block]!.keys, 0, this.count);
        copyRows(values, 0, to[block]!.values, 0, this.count);
      }
    }
    other.advance(this.count);
    return other;
  }

  /** So that `count` more tokens fit in. @throws RequestError beyond what the network can see */
  makeRoom(count: number): void {
    const needed = this.count + count;
    requireSeen(needed, this.contextLength);
    let capacity = this.arrays[0]!.keys.shape[2]!;
    if (needed <= capacity) return;
    while (capacity < needed) capacity *= 2;
    this.arrays = this.arrays.map((before, index) => {
      const larger = this.empty(this.blocks[index]!, capacity);
      copyRows(before.keys, 0, larger.keys, 0, this.count);
      copyRows(before.values, 0, larger.values, 0, this.count);
      return larger;
    });
  }

  private empty(
    { keyValueHeads, headWidth }: Pick<LlamaConfig, 'keyValueHeads' | 'headWidth'>,
    capacity: number,
  ): Kept<Float32NdArray> {
    const shape = [this.texts, keyValueHeads, capacity, headWidth];
    return { keys: float32(shape), values: float32(shape) };
  }
}

/** Copies `count` rows of every head, from row `source` to row `target`. */
function copyRows(from: Float32NdArray, source: number, to: Float32NdArray, target: number, count: number): void {
  const [texts, heads, rows, width] = from.shape as [number, number, number, number];
  const stride = sizeOf(to.shape.slice(2));
  for (let head = 0; head < texts * heads; head++) {
    const begin = (head * rows + source) * width;
    to.data.set(from.data.subarray(begin, begin + count * width), head * stride + target * width);
  }
}
