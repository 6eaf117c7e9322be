import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderDiagnosis } from '../../../src/engine/doctor/render-diagnosis.js';

test('an aligned list', () => {
  const text = renderDiagnosis({
    versions: { node: '20.20.2', 'tfjs-core': '4.22.0' },
    machine: {
      platform: 'linux x64',
      processor: 'Example 9000',
      cores: 2,
      instructionSets: ['avx2'],
      memory: { total: 16 * 2 ** 30, available: 8 * 2 ** 30, limit: 4 * 2 ** 30 },
    },
    engines: [
      {
        engine: 'onnxruntime',
        device: 'cpu',
        result: { works: true, uses: 'cpu', version: '1.30.0', largestError: 0 },
      },
      {
        engine: 'onnxruntime',
        device: 'webgpu',
        result: { works: true, uses: 'webgpu', version: '1.30.0', largestError: 0 },
      },
      { engine: 'tensorflow', device: 'any', result: { works: false, reason: 'not installed' }, remedy: 'run this' },
    ],
    automatic: { engine: 'onnxruntime', device: 'cpu' },
  });
  assert.equal(
    text,
    `Machine
  platform              linux x64
  processor             Example 9000, 2 threads
  instruction sets      avx2
  memory                16.0 GiB, 8.0 GiB available, limited to 4.0 GiB

Versions
  node                  20.20.2
  tfjs-core             4.22.0

Engines
  onnxruntime cpu       works on cpu, version 1.30.0
  onnxruntime webgpu    works on webgpu, version 1.30.0
  tensorflow            no: not installed
                        -> run this

Choice
  --engine auto         onnxruntime on cpu
  --device webgpu       onnxruntime on the GPU, if asked for`,
  );
});
