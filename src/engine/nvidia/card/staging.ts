/**
 * Copies between JavaScript's arrays and the card, by way of memory that the card reads and writes on its own (page-locked). From any other
 * memory a copy waits in the JavaScript thread until the card has done what was queued before.
 */

import koffi from '../../koffi.js';
import type { Address } from './card.js';
import { type Driver, made } from './driver.js';
import { whenDone } from './waiting.js';

const sections = 4;
const defaultSectionBytes = 16 * 2 ** 20;
const alignment = 256;
/** Of memory for downloads. */
const keptOfEachSize = 4;
/** CU_EVENT_DISABLE_TIMING. */
const withoutTiming = 2;

interface PinnedMemory {
  readonly address: Address;
  readonly bytes: Uint8Array;
  /** Recorded behind the last copy that uses the memory. */
  readonly event: number;
}

function allocatePinned(driver: Driver, size: number): PinnedMemory {
  const address = made(driver.hostAllocate, size, 0);
  const bytes = new Uint8Array(koffi.view(BigInt(address), size));
  return { address, bytes, event: made(driver.eventCreate, withoutTiming) };
}

function freePinned(driver: Driver, { address, event }: PinnedMemory): void {
  driver.eventDestroy(event);
  driver.hostFree(address);
}

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Uploads: a ring of sections, each filled with copies until it is full, and used again when the card has read it. */
export class Uploads {
  readonly #sections: PinnedMemory[] = [];
  #current = 0;
  #used = 0;

  constructor(
    readonly driver: Driver,
    readonly stream: number,
    readonly sectionBytes = defaultSectionBytes,
  ) {}

  upload(to: Address, array: ArrayBufferView): void {
    const from = bytesOf(array);
    for (let done = 0; done < from.length; ) {
      const section = this.#section();
      const count = Math.min(from.length - done, this.sectionBytes - this.#used);
      section.bytes.set(from.subarray(done, done + count), this.#used);
      this.driver.copyToDevice(to + done, section.address + this.#used, count, this.stream);
      this.#used = Math.ceil((this.#used + count) / alignment) * alignment;
      done += count;
    }
  }

  /** The section with room left. */
  #section(): PinnedMemory {
    if (this.#used >= this.sectionBytes) {
      this.driver.eventRecord(this.#sections[this.#current]!.event, this.stream);
      this.#current = (this.#current + 1) % sections;
      this.#used = 0;
      const next = this.#sections[this.#current];
      if (next) this.driver.eventSynchronize(next.event);
    }
    this.#sections[this.#current] ??= allocatePinned(this.driver, this.sectionBytes);
    return this.#sections[this.#current]!;
  }

  dispose(): void {
    for (const section of this.#sections.splice(0)) freePinned(this.driver, section);
  }
}

/** Downloads that are under way at once have memory of their own, which is kept for later ones of like size. */
export class Downloads {
  readonly #free = new Map<number, PinnedMemory[]>();

  constructor(
    readonly driver: Driver,
    readonly stream: number,
    readonly sectionBytes = defaultSectionBytes,
  ) {}

  /** The copies are queued when this returns. */
  async download(from: Address, array: ArrayBufferView): Promise<void> {
    const to = bytesOf(array);
    if (to.length === 0) return;
    const parts: { readonly memory: PinnedMemory; readonly into: Uint8Array }[] = [];
    for (let done = 0; done < to.length; done += this.sectionBytes) {
      const into = to.subarray(done, done + this.sectionBytes);
      const memory = this.#take(into.length);
      this.driver.copyToHost(memory.address, from + done, into.length, this.stream);
      this.driver.eventRecord(memory.event, this.stream);
      parts.push({ memory, into });
    }
    for (const { memory, into } of parts) {
      await whenDone(() => this.driver.eventIsDone(memory.event));
      into.set(memory.bytes.subarray(0, into.length));
      const free = this.#free.get(memory.bytes.length)!;
      if (free.length < keptOfEachSize) free.push(memory);
      else freePinned(this.driver, memory);
    }
  }

  #take(bytes: number): PinnedMemory {
    const size = Math.max(4096, 2 ** Math.ceil(Math.log2(bytes)));
    const free = this.#free.get(size) ?? [];
    this.#free.set(size, free);
    return free.pop() ?? allocatePinned(this.driver, size);
  }

  dispose(): void {
    for (const memory of [...this.#free.values()].flat()) freePinned(this.driver, memory);
    this.#free.clear();
  }
}
