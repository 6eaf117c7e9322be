/** Accuracies of stitches: one after the other, or all together where they share blocks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toDevice } from '../../../src/engine/transfer.js';
import { accuraciesOf, accuraciesOfAll } from '../../../src/experiment/trial/evaluate.js';
import { Interrupted } from '../../../src/shared/errors.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { pst, trainables } from '../../training/miniature-network.js';
import { hostEngine, hostLoader, hostNetwork } from './host-engine.js';

const shared = { ...pst, stitchBias: false };

function hostRuntime(signal = new AbortController().signal) {
  const engine = hostEngine({ correct: (id) => id % 6 });
  const shown: (string | number)[] = [];
  const progress = {
    ...silentProgress,
    start: (label: string, total: number) => void shown.push(`${label}: ${total}`),
    update: (done: number) => void shown.push(done),
    stop: () => void shown.push('stop'),
  };
  return { engine, progress, signal, shown };
}

test('one stitch after the other, in the order that is asked for; each is shown', async () => {
  const runtime = hostRuntime();
  const { engine, shown } = runtime;
  const network = hostNetwork(engine);
  const values = toDevice(engine, trainables());
  const before = engine.live.size;
  // n of five images in each of two batches.
  assert.deepEqual(await accuraciesOf(runtime, network, values, [4, 1], hostLoader(), 'testing'), [80, 20]);
  assert.deepEqual(shown, ['testing: 2', 1, 2, 'stop']);
  assert.equal(engine.live.size, before, 'images and counts are given back');
});

test('all: with biases of their own one by one, else together, batch after batch', async () => {
  const expected = [0, 20, 40, 60, 80, 100];
  const [alone, together] = [hostRuntime(), hostRuntime()];
  const own = toDevice(alone.engine, trainables());
  assert.deepEqual(await accuraciesOfAll(alone, hostNetwork(alone.engine), own, hostLoader(), 'all'), expected);
  assert.deepEqual(alone.shown, ['all: 6', 1, 2, 3, 4, 5, 6, 'stop']);
  assert.ok(alone.engine.ran.every((program) => program.endsWith(' accuracy')));

  const values = toDevice(together.engine, trainables(shared));
  const network = hostNetwork(together.engine, shared);
  const before = together.engine.live.size;
  assert.deepEqual(await accuraciesOfAll(together, network, values, hostLoader(3), 'all'), expected);
  assert.deepEqual(together.shown, ['all: 3', 1, 2, 3, 'stop']);
  // Both anchors, and all stitches between them at once, by the block at which they enter the large one.
  assert.deepEqual(
    together.engine.ran,
    Array(3)
      .fill([0, 1, '2,4,3,5'].map((ids) => `sweep of stitches ${ids}`))
      .flat(),
  );
  assert.equal(together.engine.live.size, before);
});

test('Ctrl-C ends both with what was under way', async () => {
  const runtime = hostRuntime(AbortSignal.abort());
  const stopped = (error: unknown) => error instanceof Interrupted && error.message.startsWith('stopped in all;');
  for (const adaptation of [pst, shared]) {
    const network = hostNetwork(runtime.engine, adaptation);
    const values = toDevice(runtime.engine, trainables(adaptation));
    await assert.rejects(accuraciesOfAll(runtime, network, values, hostLoader(), 'all'), stopped);
  }
});
