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
      {
        engine: 'onnxruntime',
        device: 'cuda',
        result: { works: true, uses: 'cuda', version: '1.29.0', largestError: 0, crossing: 'koffi does not load' },
      },
      { engine: 'tensorflow', device: 'any', result: { works: false, reason: 'not installed' }, remedy: 'run this' },
    ],
    cuda: {
      driver: {
        version: '580.95.05',
        cuda: '13.0',
        cards: [
          { name: 'NVIDIA H100 80GB HBM3', memory: 81559, freeMemory: 81000, computeCapability: 9 },
          { name: 'NVIDIA GB10', computeCapability: 12.1 },
        ],
      },
      installed: { runtime: '1.29.0', cuda: 13, source: 'package 0.4.9 (npm)', files: {} },
      folders: [],
      missing: [{ what: 'no libcudnn.so.9', remedy: 'Run `this`.' }],
    },
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
  onnxruntime cuda      works on cuda, version 1.29.0
                        values cross the bus in every step: koffi does not load
  tensorflow            no: not installed
                        -> run this

CUDA
  card                  NVIDIA H100 80GB HBM3, 79.6 GiB, 79.1 GiB free, compute capability 9.0
  card                  NVIDIA GB10, compute capability 12.1
  driver                NVIDIA 580.95.05, for CUDA up to 13.0
  provider              ONNX Runtime 1.29.0 for CUDA 13, from package 0.4.9 (npm)
  missing               no libcudnn.so.9
                        -> Run \`this\`.

Choice
  --engine auto         onnxruntime on cpu
  --device webgpu       onnxruntime on the GPU, if asked for`,
  );
});

test('where our own engine works, what CUDA misses is missing for language models alone', () => {
  const text = renderDiagnosis({
    versions: {},
    machine: { platform: 'linux x64', processor: 'Example', cores: 1, memory: { total: 2 ** 30, available: 2 ** 30 } },
    engines: [
      { engine: 'nvidia', device: 'cuda', result: { works: true, uses: 'cuda', version: 'H200', largestError: 0 } },
    ],
    cuda: { folders: [], missing: [{ what: 'the CUDA provider is not installed', remedy: 'Run `that`.' }] },
    automatic: { engine: 'nvidia', device: 'cuda' },
  } as Parameters<typeof renderDiagnosis>[0]);
  assert.match(text, /nvidia cuda +works on cuda, version H200/);
  assert.match(text, /CUDA for --engine onnxruntime\n(.*\n)* +missing +the CUDA provider is not installed/);
  assert.match(text, /--engine auto +nvidia on cuda/);
});
