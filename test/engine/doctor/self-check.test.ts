import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selfCheck } from '../../../src/engine/doctor/self-check.js';
import type { Engine } from '../../../src/engine/engine.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';

test('an engine that computes right is off by nothing, one that does not by how much', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  assert.equal(await selfCheck(engine), 0);
  const wrong: Engine = {
    ...engine,
    get: async (value) => {
      const array = await engine.get(value);
      return array.dtype === 'float32' ? { ...array, data: array.data.map((number) => number + 3) } : array;
    },
  };
  assert.equal(await selfCheck(wrong), 3);
  await engine.dispose();
});
