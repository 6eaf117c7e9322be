import assert from 'node:assert/strict';
import { test } from 'node:test';
import { esta } from '../../command-line.js';

test('bench data --json: every epoch of drawn images, the later ones from memory', async () => {
  const small = ['bench', 'data', '--images', '3', '--batch', '2', '--epochs', '2', '--json'];
  const { status, stdout } = await esta(small);
  assert.equal(status, 0);
  const { folder, images, results } = JSON.parse(stdout);
  assert.deepEqual([folder, images], [null, 3]);
  assert.deepEqual(
    results.map((result: { epoch: number; cache_hit_rate: number }) => [result.epoch, result.cache_hit_rate]),
    [
      [0, 0],
      [1, 1],
    ],
  );
  assert.ok(results.every((result: Record<string, number>) => result['images_per_second']! > 0));
});

test('bench data: a folder without JPEGs is refused', async () => {
  const { status, stdout, stderr } = await esta(['bench', 'data', '--folder', 'commands']);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /--folder commands holds no \.jpg or \.jpeg files \(\d+ other entries\)/);
});
