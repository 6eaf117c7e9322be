/** Which gradients are compared, and what is noted of them. The angles themselves: test/evaluation/gradient-angles.test.ts. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Engine } from '../../../src/engine/engine.js';
import { toDevice } from '../../../src/engine/transfer.js';
import { noteAngles } from '../../../src/experiment/trial/angle-measurement.js';
import { float32 } from '../../../src/shared/arrays.js';
import { exists } from '../../../src/shared/files.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { pst, trainables } from '../../training/miniature-network.js';
import { hostContext, hostEngine, hostNetwork } from './host-engine.js';

const run = { split: 'train', epochs: 5, steps: 10, warmupSteps: 0 } as const;
const recipe = { epoch: 1, stitches: 32, batches: 1, domain: 'downstream' } as const;

/** All gradients of stitch n point (10 n) degrees away from the first axis. */
function hostAngles(t: TestContext, adaptation = pst) {
  const folder = temporaryFolder(t);
  const engine: Engine & { readonly ran: string[] } = hostEngine({
    other: (program) => {
      const angle = (Math.PI / 18) * Number(/^gradients of stitch (\d+)$/.exec(program)![1]);
      const vector = () => engine.put(float32([2], Float32Array.of(Math.cos(angle), Math.sin(angle))));
      return { updates: { 1: { 1: { attention: { down: vector(), up: vector() } } } } };
    },
  });
  const { context, splits } = hostContext(engine, folder);
  const values = toDevice(engine, trainables(adaptation));
  const note = (changes: object = {}) =>
    noteAngles(context, hostNetwork(engine, adaptation), { ...recipe, ...changes }, run, values);
  const file = path.join(folder, 'angles.json');
  const noted = async () => JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown> & { angles: number[] };
  return { engine, splits, note, noted, file };
}

test('every pair of the stitches between the two smallest anchors, in every batch', async (t) => {
  const { engine, splits, note, noted } = hostAngles(t);
  await note({ batches: 9 });
  const { angles, ...about } = await noted();
  // Four stitches, 2 to 5: three pairs 10 degrees apart, two 20, one 30; an epoch has two batches.
  const ofBatch = [10, 20, 30, 10, 20, 10];
  assert.deepEqual(angles.map(Math.round), [...ofBatch, ...ofBatch]);
  assert.deepEqual(about, {
    ...{ version: 1, anchors: ['Ti', 'S'], stitches: 4, epoch: 1, batches: 2, batch_size: 5, domain: 'downstream' },
  });
  assert.deepEqual(
    engine.ran,
    [2, 3, 4, 5, 2, 3, 4, 5].map((id) => `gradients of stitch ${id}`),
  );
  assert.deepEqual(splits, ['train']);
});

test('as many stitches as asked for, drawn for the seed, in the order of the space; nothing is measured twice', async (t) => {
  const { engine, note, noted } = hostAngles(t);
  await note({ stitches: 3, domain: 'source' });
  const ids = engine.ran.map((program) => Number(program.split(' ').at(-1)));
  assert.equal(new Set(ids).size, 3);
  assert.deepEqual(ids, ids.toSorted());
  const { stitches, domain, angles, batches } = await noted();
  assert.deepEqual([stitches, domain, angles.length, batches], [3, 'source', 3, 1]);
  await note();
  assert.equal(engine.ran.length, 3);
});

test('stitches that share no weights of blocks have no angles', async (t) => {
  const { engine, note, file } = hostAngles(t, { ...pst, stitchBias: false, ownLowRank: true });
  await note();
  assert.deepEqual([engine.ran, await exists(file)], [[], false]);
});
