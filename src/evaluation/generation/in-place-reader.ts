/**
 * Reads tokens where keys and values stay in the memory of the engine. A token costs its program and its logits: nothing
 * else crosses the bus, and nothing is copied, not even for beams. A text writes into a slot of its own; which slot has the
 * row of which position says a table, and beams that change places change its rows.
 */
import type * as tf from '@tensorflow/tfjs';
import { bindValues } from '../../engine/bind.js';
import type { Compiled, Engine, Value } from '../../engine/engine.js';
import { frozenOnDevice, toDevice } from '../../engine/transfer.js';

import {
  type InPlaceInputs,
  type InPlaceState,
  type PartShape,
  type PathWeights,
  runInPlace,
} from '../../models/llama/cached.js';
import { int32, type NdArray } from '../../shared/arrays.js';
import { filledUp, longestChunk } from './chunks.js';
import { blocksOf, contextLengthOf, type ReadTexts, type Room, requireSeen, type TokenReader } from './reading.js';

/** Room is a multiple of it, so that texts of like length take each other's. */
const roomStep = 256;

/** Memory for keys and values, with the program that computes in it. */
interface Memory {
  readonly slots: number;
  readonly capacity: number;
  readonly rows: readonly Value[];
  readonly run: Compiled<InPlaceInputs<tf.Tensor>, tf.Tensor>;
}

/** @param engine one with `reserve` */
export function inPlaceReader(
  engine: Engine,
  shapes: readonly PartShape[],
  weights: PathWeights<NdArray>,
): TokenReader {
  const held: PathWeights<Value> = frozenOnDevice(engine, weights);
  const blocks = blocksOf(shapes, weights.parts);
  const contextLength = contextLengthOf(shapes);
  const free: Memory[] = [];
  const all = new Set<Memory>();
  const make = (slots: number, capacity: number): Memory => {
    const rows = blocks.map(({ keyValueHeads, headWidth }) =>
      engine.reserve!([2, slots, keyValueHeads, capacity, headWidth]),
    );
    const key = `generate in place ${JSON.stringify(shapes)}`;
    const step = (state: InPlaceState<tf.Tensor>, inputs: InPlaceInputs<tf.Tensor>) =>
      runInPlace(state, inputs, shapes);
    const run = bindValues(engine, key, step, { weights: held, rows });
    const memory = { slots, capacity, rows, run };
    all.add(memory);
    return memory;
  };
  const take = (room: Room): Memory => {
    const capacity = Math.min(contextLength, Math.ceil(room.tokens / roomStep) * roomStep);
    const at = free.findIndex((memory) => memory.slots >= room.texts && memory.capacity >= capacity);
    if (at >= 0) return free.splice(at, 1)[0]!;
    // The new one serves what the smaller ones would have served.
    for (const smaller of free.splice(0)) {
      engine.free(smaller.rows);
      all.delete(smaller);
    }
    return make(room.texts, capacity);
  };
  return {
    most: longestChunk,
    begin(texts, room) {
      const memory = take(room);
      return new InPlaceTexts(engine, memory, contextLength, ownSlots(texts, memory.capacity), () => free.push(memory));
    },
    dispose() {
      for (const { rows } of all) engine.free(rows);
      engine.free(held);
    },
  };
}

/** By text, and by position: every text its own slot. */
function ownSlots(texts: number, capacity: number): Int32Array[] {
  return Array.from({ length: texts }, (_, text) => new Int32Array(capacity).fill(text));
}

class InPlaceTexts implements ReadTexts {
  private table: Value | undefined;
  private isOver = false;

  constructor(
    private readonly engine: Engine,
    private readonly memory: Memory,
    private readonly contextLength: number,
    private readonly owners: readonly Int32Array[],
    private readonly giveBack: () => void,
    public length = 0,
  ) {}

  async read(texts: readonly (readonly number[])[]): Promise<Float32Array> {
    if (this.isOver) throw new Error('the memory of these texts belongs to others by now');
    const count = texts[0]!.length;
    const { engine } = this;
    const { capacity } = this.memory;
    requireSeen(this.length + count, this.contextLength);
    if (this.length + count > capacity) throw new Error(`there is room for ${capacity} tokens of each text`);
    this.table ??= engine.put(int32([texts.length, capacity], Int32Array.from(this.owners.flatMap((row) => [...row]))));
    const given = toDevice(engine, {
      ids: filledUp(texts),
      filled: int32([1], Int32Array.of(this.length)),
      last: int32([1], Int32Array.of(count - 1)),
    });
    const logits = await this.memory.run({ ...given, owners: this.table } as never);
    const { data } = await engine.get(logits as Value);
    engine.free([given, logits]);
    this.length += count;
    return data as Float32Array;
  }

  select(texts: readonly number[]): ReadTexts {
    const { slots, capacity } = this.memory;
    if (texts.length > slots) throw new Error(`${texts.length} texts were selected; there is room for ${slots}`);
    const owners = ownSlots(texts.length, capacity);
    for (const [place, text] of texts.entries()) owners[place]!.set(this.owners[text]!.subarray(0, this.length));
    this.stop();
    return new InPlaceTexts(this.engine, this.memory, this.contextLength, owners, this.giveBack, this.length);
  }

  end(): void {
    if (!this.isOver) this.giveBack();
    this.stop();
  }

  private stop(): void {
    this.isOver = true;
    if (this.table) this.engine.free([this.table]);
    this.table = undefined;
  }
}
