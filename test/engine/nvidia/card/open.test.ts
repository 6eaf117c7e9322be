/** The card as the engine sees it: the stand-in, or a real one. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Card } from '../../../../src/engine/nvidia/card/card.js';
import { RequestError, TrialError } from '../../../../src/shared/errors.js';
import { noTestCard, onRealCard, openTestCard } from '../stand-in/stand-in.js';

const skip = noTestCard;
let card: Card;
before(async () => {
  if (!skip) card = await openTestCard();
});
after(() => card?.dispose());

const floats = (...values: number[]) => Float32Array.from(values);

async function downloaded(address: number, count: number): Promise<number[]> {
  const array = new Float32Array(count);
  await card.download(address, array);
  return [...array];
}

function uploaded(array: ArrayBufferView): number {
  const address = card.allocate(array.byteLength);
  card.upload(address, array);
  return address;
}

/** Written as for a card: a bound for the last block, a parameter of each kind. */
const source = `
extern "C" __global__ void scale(float* to, const float* __restrict__ from, const int *count) {
  int index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index < *count) to[index] = 2.0f * from[index];
}
float half_of(float value) { return 0.5f * value; }
extern "C" __global__ void __launch_bounds__(64) halve(float* values) {
  values[blockIdx.x * blockDim.x + threadIdx.x] = half_of(values[blockIdx.x * blockDim.x + threadIdx.x]);
}
extern "C" __global__ void lanes(float* to) { to[0] = WARP; }
`;

test('a card says what it is, and how much memory it has', { skip }, () => {
  assert.ok(onRealCard ? card.name !== '' : card.name === 'stand-in', card.name);
  assert.ok(card.computeCapability[0] >= 5, `${card.computeCapability}`);
  const before = card.memory();
  const address = card.allocate(64 * 2 ** 20);
  assert.ok(card.memory().free <= before.free - 64 * 2 ** 20);
  assert.ok(Number.isSafeInteger(address) && address > 0);
  card.release(address);
  assert.equal(card.memory().total, before.total);
  assert.ok(card.memory().free > before.free - 2 ** 20);
});

test('what the card has no room for is said with what is free', { skip }, () => {
  assert.throws(
    () => card.allocate(2 ** 50),
    (error) =>
      error instanceof TrialError && /1073741824 MiB were asked for; \d+ MiB of \d+ MiB are free/.test(error.message),
  );
});

test('arrays of any size come back, and may change once they are queued', { skip }, async () => {
  const pattern = Uint8Array.from({ length: 1009 }, (_, index) => index);
  for (const count of [0, 1, 1000, 300_000]) {
    const array = Buffer.alloc(count, pattern);
    const address = uploaded(array);
    array.fill(0);
    const back = Buffer.alloc(count);
    await card.download(address, back);
    assert.ok(back.equals(Buffer.alloc(count, pattern)), `${count} bytes`);
    card.release(address);
  }
});

test('a part of an array is copied alone', { skip }, async () => {
  const address = uploaded(floats(1, 2, 3, 4));
  card.upload(address + 4, floats(7, 8, 9).subarray(1, 3));
  const to = new Float32Array(4);
  await card.download(address, to.subarray(1));
  assert.deepEqual([...to], [0, 1, 8, 9]);
});

test('downloads that are under way at once do not meet', { skip }, async () => {
  const address = uploaded(floats(1, 2));
  const [first, second] = [downloaded(address, 1), downloaded(address + 4, 1)];
  card.upload(address, floats(5, 6));
  assert.deepEqual([await first, await second, await downloaded(address, 2)], [[1], [2], [5, 6]]);
});

test('memory is copied on the card', { skip }, async () => {
  const [from, to] = [uploaded(floats(1, 2, 3)), uploaded(floats(0, 0, 0))];
  card.copy(to + 4, from, 8);
  assert.deepEqual(await downloaded(to, 3), [0, 1, 2]);
});

test('kernels run on the addresses that they are given', { skip }, async () => {
  const [scale, halve, lanes] = card.compile(source, ['scale', 'halve', 'lanes']);
  const from = uploaded(floats(1, 2, 3, 4, 5));
  const [to, count] = [uploaded(floats(0, 0, 0, 0, 0, 9)), uploaded(Int32Array.of(5))];
  card.launch(scale!, 2, 4, [to, from, count]);
  assert.deepEqual(await downloaded(to, 6), [2, 4, 6, 8, 10, 9]);
  card.launch(halve!, 2, 2, [to]);
  assert.deepEqual(await downloaded(to, 6), [1, 2, 3, 4, 10, 9]);
  card.launch(lanes!, 1, 1, [to]);
  assert.deepEqual(await downloaded(to, 1), [32]);
  assert.throws(() => card.launch(scale!, 1, 4, [to, from]), /scale has 3 parameters; 2 addresses were given/);
  assert.throws(
    () => card.launch(halve!, 0, 4, [to]),
    /kernel halve \(0 blocks, 4 threads\): .*cuLaunchKernel failed: CUDA_ERROR_INVALID_VALUE/,
  );
});

test('lanes of a warp exchange values, threads of a block wait for each other', { skip }, async () => {
  const together = `
    extern "C" __global__ void sums(float* to, const float* from) {
      float sum = from[threadIdx.x], next = __shfl_down_sync(0xffffffffu, sum, 1);
      for (int distance = WARP / 2; distance > 0; distance /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, distance);
      if (threadIdx.x % WARP == 3) { to[threadIdx.x / WARP] = sum; to[2 + threadIdx.x / WARP] = next; }
    }
    extern "C" __global__ void turned(float* values) {
      __shared__ float held[64];
      held[threadIdx.x] = values[threadIdx.x];
      __syncthreads();
      values[threadIdx.x] = held[63 - threadIdx.x];
    }`;
  const [sums, turned] = card.compile(together, ['sums', 'turned']);
  const from = uploaded(Float32Array.from({ length: 64 }, (_, index) => index));
  const to = card.allocate(16);
  card.launch(sums!, 1, 64, [to, from]);
  assert.deepEqual(await downloaded(to, 4), [(31 * 32) / 2, (31 * 32) / 2 + 32 * 32, 4, 36]);
  card.launch(turned!, 1, 64, [from]);
  assert.deepEqual(
    await downloaded(from, 64),
    Array.from({ length: 64 }, (_, index) => 63 - index),
  );
});

test('a kernel may have hundreds of parameters', { skip }, async () => {
  const names = Array.from({ length: 300 }, (_, index) => `p${index}`);
  const sum = `extern "C" __global__ void sum(float* to, ${names.map((name) => `const float* ${name}`).join(', ')}) {
    *to = ${names.map((name) => `*${name}`).join(' + ')};
  }`;
  const [kernel] = card.compile(sum, ['sum']);
  const values = uploaded(new Float32Array(300).map((_, index) => index));
  const to = card.allocate(4);
  card.launch(kernel!, 1, 1, [to, ...names.map((_, index) => values + 4 * index)]);
  assert.deepEqual(await downloaded(to, 1), [(299 * 300) / 2]);
});

test('what does not compile is shown with its line', { skip }, () => {
  const wrong = 'extern "C" __global__ void wrong(float* to) {\n  float x = 1;\n  to[0] = y;\n}';
  assert.throws(() => card.compile(wrong, ['wrong']), /does not compile:.*y.*\nline 3: to\[0\] = y;/s);
  assert.throws(() => card.compile(source, ['scale', 'other']), /no kernel other in the source/);
});

test('a recording is done when it is launched, as often as it is launched', { skip }, async () => {
  const [, halve] = card.compile(source, ['scale', 'halve']);
  const values = uploaded(floats(8, 16));
  const [one, product] = [uploaded(floats(3)), uploaded(floats(0))];
  const matrix = (address: number) => ({ address, type: 'float32', pitch: 1 }) as const;
  const graph = card.record(() => {
    card.launch(halve!, 1, 2, [values]);
    card.copy(one, values, 4);
    card.multiply(
      { m: 1, n: 1, k: 1, alpha: 10, count: 1, a: matrix(one), b: matrix(one), c: matrix(product) },
      'float32',
    );
  });
  await card.synchronise();
  assert.deepEqual(await downloaded(values, 2), [8, 16]);
  graph.launch();
  assert.deepEqual([await downloaded(values, 2), await downloaded(product, 1)], [[4, 8], [160]]);
  graph.launch();
  assert.deepEqual([await downloaded(values, 2), await downloaded(product, 1)], [[2, 4], [40]]);
  graph.release();
});

test('what cannot be recorded is refused, and the card works on', { skip }, async () => {
  const values = uploaded(floats(1));
  assert.throws(() => card.record(() => card.upload(values, floats(2))), /an upload cannot be part of a recording/);
  assert.throws(() => card.record(() => card.record(() => {})), /another recording cannot be part/);
  assert.throws(
    () =>
      card.record(() => {
        throw new Error('of the work');
      }),
    /of the work/,
  );
  card.upload(values, floats(3));
  assert.deepEqual(await downloaded(values, 1), [3]);
});

test('why no card can be used is said by the driver', { skip: onRealCard || skip }, async () => {
  const reasons = {
    STAND_IN_NO_DEVICE: /CUDA_ERROR_NO_DEVICE/,
    // What a process that has the card alone leaves to others, and what there is no memory for.
    STAND_IN_TAKEN: /CUDA_ERROR_DEVICE_UNAVAILABLE/,
    STAND_IN_FULL: /cublasCreate_v2 failed/,
  };
  for (const [name, reason] of Object.entries(reasons)) {
    process.env[name] = '1';
    try {
      await assert.rejects(
        openTestCard,
        (error) =>
          error instanceof RequestError &&
          error.message.startsWith('no NVIDIA card can be used: ') &&
          reason.test(error.message) &&
          /nvidia-smi/.test(error.hint!),
      );
    } finally {
      delete process.env[name];
    }
  }
});

test('the stand-in refuses kernels that are given no memory of the card', { skip: onRealCard || skip }, () => {
  const [, halve] = card.compile(source, ['scale', 'halve']);
  assert.throws(() => card.launch(halve!, 1, 1, [4096]), /kernel halve .*CUDA_ERROR_ILLEGAL_ADDRESS/);
});
