import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseAutomatically, type EngineState, remedyFor } from '../../../src/engine/doctor/diagnosis.js';
import type { ProbeResult } from '../../../src/engine/doctor/probe.js';

const works = (uses: string): ProbeResult => ({ works: true, uses, version: '1', largestError: 0 });
const fails: ProbeResult = { works: false, reason: 'no' };
const onnxruntime = (result: ProbeResult): EngineState => ({ engine: 'onnxruntime', device: 'cpu', result });
const cuda = (result: ProbeResult): EngineState => ({ engine: 'onnxruntime', device: 'cuda', result });
const tensorflow = (result: ProbeResult): EngineState => ({ engine: 'tensorflow', device: 'any', result });

test('auto is a GPU that works: CUDA, else TensorFlow where it uses one', () => {
  const choose = (...states: EngineState[]) => chooseAutomatically(states, true);
  const gpu = { engine: 'tensorflow', device: 'gpu' };
  const cpu = { engine: 'onnxruntime', device: 'cpu' };
  const states = [onnxruntime(works('cpu')), cuda(works('cuda')), tensorflow(works('gpu'))];
  assert.deepEqual(choose(...states), { engine: 'onnxruntime', device: 'cuda' });
  assert.deepEqual(chooseAutomatically(states, false), cpu);
  assert.deepEqual(choose(onnxruntime(works('cpu')), cuda(fails), tensorflow(works('gpu'))), gpu);
  assert.deepEqual(choose(onnxruntime(works('cpu')), tensorflow(works('cpu'))), cpu);
  assert.deepEqual(choose(onnxruntime(works('cpu')), tensorflow(fails)), cpu);
  assert.equal(choose(onnxruntime(fails), tensorflow(works('cpu'))), undefined);
  assert.deepEqual(chooseAutomatically([onnxruntime(works('cpu')), tensorflow(works('gpu'))], false), cpu);
});

test('what is missing comes with a command, what works without', () => {
  assert.match(remedyFor('tensorflow', 'any', fails) ?? '', /esta engine install/);
  assert.match(remedyFor('onnxruntime', 'webgpu', fails) ?? '', /libvulkan1/);
  assert.match(remedyFor('onnxruntime', 'cpu', fails) ?? '', /npm ci/);
  assert.equal(remedyFor('onnxruntime', 'cpu', works('cpu')), undefined);
});
