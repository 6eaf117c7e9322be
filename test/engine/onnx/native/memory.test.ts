/** Where values are. A device is stood for by memory of ONNX Runtime's own on the host: nothing there is JavaScript's. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { nativeApi } from '../../../../src/engine/onnx/native/api.js';
import { CopyPrograms } from '../../../../src/engine/onnx/native/copy-programs.js';
import { NativeMemory } from '../../../../src/engine/onnx/native/memory.js';
import { liveTensors, NativeTensors } from '../../../../src/engine/onnx/native/values.js';
import { float32, int32, type NdArray, uint8 } from '../../../../src/shared/arrays.js';

const skip = `${process.platform} ${process.arch}` !== 'linux x64' && 'the library is for linux x64';

/** Counts what is copied. */
class CountedCopies extends CopyPrograms {
  count = 0;
  override copy(...given: Parameters<CopyPrograms['copy']>): Promise<void> {
    this.count++;
    return super.copy(...given);
  }
}

function deviceMemory() {
  const api = nativeApi();
  const copies = new CountedCopies(api, { device: 'cpu', precision: 'float32', threads: 1, entries: {} });
  const options = { allocator: api.make('defaultAllocator'), isHost: false };
  return { copies, memory: new NativeMemory(new NativeTensors(api), copies, options) };
}

afterEach(() => assert.equal(liveTensors(), 0));

const nothing = async () => undefined;
const large = () => float32([40, 30], Float32Array.from({ length: 1200 }, Math.sqrt));

test('a value goes to the device when it is first read, stays there, and comes back the same', { skip }, async () => {
  const { copies, memory } = deviceMemory();
  const arrays: NdArray[] = [
    large(),
    int32([2, 0, 3]),
    int32(
      [1100],
      Int32Array.from({ length: 1100 }, (_, index) => -index),
    ),
    uint8([4100], new Uint8Array(4100).fill(255)),
    float32([], Float32Array.of(3)),
  ];
  for (const array of arrays) {
    const value = memory.wrap(array, true);
    assert.equal(await memory.read(value), array, 'on the host still');
    copies.count = 0;
    await Promise.all([memory.lend([value], nothing), memory.lend([value, value], nothing)]);
    await memory.lend([value], nothing);
    assert.equal(copies.count, 1);
    assert.equal(value.host, undefined);
    const back = await memory.read(value);
    assert.notEqual(back, array);
    assert.deepEqual(back, array);
    memory.free(value);
    memory.free(value);
  }
  await copies.dispose();
});

test('what is small travels twice before it goes to stay', { skip }, async () => {
  const { copies, memory } = deviceMemory();
  const value = memory.wrap(float32([3], Float32Array.of(1, 2, 3)), false);
  for (const copied of [0, 0, 1, 1]) {
    await memory.lend([value], nothing);
    assert.equal(copies.count, copied);
  }
  memory.free(value);
  await copies.dispose();
});

test('a value that is freed while a program reads it is released afterwards; nobody can read it again', {
  skip,
}, async () => {
  const { copies, memory } = deviceMemory();
  const value = memory.wrap(large(), false);
  await memory.lend([value], async () => {
    memory.free(value);
    assert.equal(liveTensors(), 1);
  });
  assert.equal(liveTensors(), 0);
  await assert.rejects(memory.lend([value], nothing), /a value of shape \[40,30\] that was freed/);
  await assert.rejects(memory.read(value), /was freed/);
  await copies.dispose();
});

test('results of a program that fails are released', { skip }, async () => {
  const { copies, memory } = deviceMemory();
  const results = [{ name: 'y', dtype: 'float32', shape: [2, 2] }] as const;
  const fail = async () => {
    assert.equal(liveTensors(), 1);
    throw new Error('no product');
  };
  await assert.rejects(memory.filled(results, fail), /no product/);
  const [kept] = await memory.filled(results, nothing);
  assert.equal((await memory.read(kept!)).data.length, 4);
  memory.dispose();
  await copies.dispose();
});
