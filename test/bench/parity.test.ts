import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareSteps } from '../../src/bench/parity.js';
import type { Engine } from '../../src/engine/engine.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { variantNamed } from '../../src/models/vit/variants.js';

const variants = ['vit_mini_tiny_depth4', 'vit_mini_small_depth4'].map(variantNamed);

test('an engine agrees with itself, and within its rounding in bfloat16; one that computes wrong does not', async (t) => {
  const cpu = await createOnnxEngine({ threads: 1 });
  const narrow = await createOnnxEngine({ threads: 1, narrowProducts: 'emulated' });
  t.after(async () => Promise.all([cpu.dispose(), narrow.dispose()]));
  const same = await compareSteps(cpu, cpu, variants);
  assert.deepEqual([same.loss, same.gradients, same.agrees], [0, 0, true]);

  const rounded = await compareSteps({ ...narrow, precision: 'mixed' }, cpu, variants);
  assert.ok(rounded.agrees && rounded.gradients > 1e-4, JSON.stringify(rounded));
  assert.equal((await compareSteps(narrow, cpu, variants)).agrees, false, 'for float32 it is too much');

  // A device that loses a hundredth of what it reads back.
  const wrong: Engine = {
    ...cpu,
    get: async (value) => {
      const array = await cpu.get(value);
      return array.dtype === 'float32' ? { ...array, data: array.data.map((number) => number * 0.99) } : array;
    },
  };
  const { agrees, gradients, loss } = await compareSteps(wrong, cpu, variants);
  assert.equal(agrees, false);
  for (const error of [gradients, loss]) assert.ok(Math.abs(error - 0.01) < 1e-6, `${error}`);

  // Gradients that agree do not make up for a loss that does not.
  const misled: Engine = {
    ...cpu,
    get: async (value) => {
      const array = await cpu.get(value);
      return value.shape.length === 1 && value.shape[0] === 4
        ? { ...array, data: array.data.map((number) => number * 3) }
        : array;
    },
  } as Engine;
  const told = await compareSteps(misled, cpu, variants);
  assert.deepEqual([told.gradients, told.agrees], [0, false]);
});
