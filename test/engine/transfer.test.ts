import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { toDevice, toHost } from '../../src/engine/transfer.js';
import { float32, int32 } from '../../src/shared/arrays.js';

test('a tree goes to the device and comes back as it was; what is not float32 is refused', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const tree = { layers: [{ weight: float32([2], Float32Array.of(1, 2)) }], scale: float32([], Float32Array.of(3)) };
  assert.deepEqual(await toHost(engine, toDevice(engine, tree)), tree);
  const labels = toDevice(engine, { labels: int32([1]) });
  await assert.rejects(toHost(engine, labels), /labels is int32: float32 was expected/);
  await engine.dispose();
});
