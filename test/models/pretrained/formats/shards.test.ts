import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { writeSafetensors } from '../../../../src/models/pretrained/formats/safetensors.js';
import { openShards } from '../../../../src/models/pretrained/formats/shards.js';
import { float32 } from '../../../../src/shared/arrays.js';
import { requestError, temporaryFolder } from '../fixtures.js';

/** Two shards with `a` and `b`, and an index with this map. */
async function sharded(t: TestContext, weightMap: unknown): Promise<string> {
  const folder = temporaryFolder(t);
  await writeSafetensors(path.join(folder, 'm-1-of-2.safetensors'), { a: float32([1], Float32Array.of(1)) });
  await writeSafetensors(path.join(folder, 'm-2-of-2.safetensors'), { b: float32([1], Float32Array.of(2)) });
  const index = path.join(folder, 'model.safetensors.index.json');
  writeFileSync(index, JSON.stringify({ metadata: { total_size: 8 }, weight_map: weightMap }));
  return index;
}

test('reads tensors from the shard the index names', async (t) => {
  const weights = await openShards(await sharded(t, { a: 'm-1-of-2.safetensors', b: 'm-2-of-2.safetensors' }));
  assert.deepEqual([...weights.names], ['a', 'b']);
  assert.deepEqual((await weights.read('b')).data, Float32Array.of(2));
  await weights.close();
});

test('a tensor that its shard lacks and a shard that is missing are refused', async (t) => {
  const wrong = await sharded(t, { a: 'm-2-of-2.safetensors' });
  await assert.rejects(
    openShards(wrong),
    requestError(/promises tensor a in m-2-of-2\.safetensors, which does not have it/),
  );
  const gone = await sharded(t, { a: 'm-3-of-2.safetensors' });
  await assert.rejects(openShards(gone), requestError(/m-3-of-2\.safetensors does not exist/));
});

for (const name of [
  '../x.safetensors',
  '/x.safetensors',
  'a/../../x.safetensors',
  'file://x.safetensors',
  'a\\x.safetensors',
  'x.bin',
  3,
]) {
  test(`a shard cannot be ${name}`, async (t) => {
    await assert.rejects(
      openShards(await sharded(t, { a: name })),
      requestError(/puts tensor a into .*not a \.safetensors file/),
    );
  });
}

test('an index without a map is refused', async (t) => {
  await assert.rejects(openShards(await sharded(t, undefined)), requestError(/has no weight_map/));
  await assert.rejects(openShards(await sharded(t, ['a'])), requestError(/has no weight_map/));
});
