/** Staged copies on a card that does what is queued as late as it may: when it is waited for. */
import assert from 'node:assert/strict';
import test from 'node:test';
import koffi from 'koffi';
import type { Driver } from '../../../../src/engine/nvidia/card/driver.js';
import { Downloads, Uploads } from '../../../../src/engine/nvidia/card/staging.js';

const sectionBytes = 1024;

/** The memory of the card is an array, addressed from 0. */
function lateCard(bytes: number) {
  const memory = new Uint8Array(bytes);
  const queue: (() => void)[] = [];
  const recorded = new Map<number, number>();
  let [done, events, waits, pinned] = [0, 0, 0, 0];
  const at = (address: number, count: number) => new Uint8Array(koffi.view(BigInt(address), count));
  const doUntil = (end: number) => {
    while (done < end) queue[done++]!();
  };
  const driver = {
    hostAllocate: (out: [number], size: number) => {
      out[0] = Number(koffi.alloc('uint8_t', size));
      pinned++;
    },
    hostFree: () => pinned--,
    eventCreate: (out: [number]) => {
      out[0] = ++events;
    },
    eventDestroy: () => {},
    eventRecord: (event: number) => recorded.set(event, queue.length),
    eventSynchronize: (event: number) => {
      waits++;
      doUntil(recorded.get(event) ?? 0);
    },
    eventIsDone: (event: number) => {
      doUntil(recorded.get(event)!);
      return true;
    },
    copyToDevice: (to: number, from: number, count: number) => queue.push(() => memory.set(at(from, count), to)),
    copyToHost: (to: number, from: number, count: number) =>
      queue.push(() => at(to, count).set(memory.subarray(from, from + count))),
  } as unknown as Driver;
  return { driver, memory, queue, doAll: () => doUntil(queue.length), waits: () => waits, pinned: () => pinned };
}

const counted = (count: number, first = 0) => Uint8Array.from({ length: count }, (_, index) => first + index);

test('an upload is what the array was at the call, whenever the card copies it', () => {
  const card = lateCard(16);
  const uploads = new Uploads(card.driver, 7, sectionBytes);
  const array = Float32Array.of(1, 2, 3);
  uploads.upload(4, array);
  array.fill(9);
  assert.deepEqual(card.memory, new Uint8Array(16));
  card.doAll();
  assert.deepEqual(new Float32Array(card.memory.buffer), Float32Array.of(0, 1, 2, 3));
});

test('memory of the ring is filled again when the card has read it, and not waited for before', () => {
  const card = lateCard(10_000);
  const uploads = new Uploads(card.driver, 7, sectionBytes);
  uploads.upload(0, counted(1000));
  uploads.upload(1000, counted(2 * sectionBytes));
  assert.deepEqual([card.waits(), card.pinned()], [0, 3]);
  uploads.upload(5000, counted(5000, 3));
  assert.ok(card.waits() > 0);
  assert.equal(card.pinned(), 4);
  card.doAll();
  const expected = new Uint8Array(10_000);
  expected.set(counted(1000));
  expected.set(counted(2 * sectionBytes), 1000);
  expected.set(counted(5000, 3), 5000);
  assert.deepEqual(card.memory, expected);
  uploads.dispose();
  assert.equal(card.pinned(), 0);
});

test('a download is what the memory holds after what was queued before it, in parts where it is large', async () => {
  const card = lateCard(4000);
  card.memory.set(counted(4000));
  const downloads = new Downloads(card.driver, 7, sectionBytes);
  const [large, small] = [new Uint8Array(3000), new Uint8Array(10)];
  const waiting = [downloads.download(500, large), downloads.download(20, small)];
  card.queue.push(() => card.memory.fill(0));
  await Promise.all(waiting);
  assert.deepEqual(large, counted(4000).subarray(500, 3500));
  assert.deepEqual(small, counted(4000).subarray(20, 30));
  const before = card.pinned();
  await downloads.download(0, large);
  assert.equal(card.pinned(), before);
  downloads.dispose();
  assert.equal(card.pinned(), 0);
});
