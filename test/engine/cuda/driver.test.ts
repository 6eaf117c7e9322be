import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { describeDriver, isAtLeast } from '../../../src/engine/cuda/driver.js';
import { programBudget } from '../../../src/engine/onnx/programs/device.js';

const summary = `+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 580.95.05              Driver Version: 580.95.05      CUDA Version: 13.0     |
+-----------------------------------------+------------------------+----------------------+`;

test('the cards and the driver, from nvidia-smi on the PATH', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-smi-'));
  t.after(() => rm(folder, { recursive: true }));
  const rows = 'NVIDIA H100 80GB HBM3, 81559, 80995, 9.0, 580.95.05\nNVIDIA A10, 23028, 100, 8.6, 580.95.05';
  const script = `#!/bin/sh\nif [ $# -eq 0 ]; then echo '${summary}'; else echo '${rows}'; fi\n`;
  await writeFile(path.join(folder, 'nvidia-smi'), script);
  await chmod(path.join(folder, 'nvidia-smi'), 0o755);
  const before = process.env['PATH'];
  t.after(() => {
    process.env['PATH'] = before;
  });
  process.env['PATH'] = `${folder}:${before}`;
  assert.deepEqual(await describeDriver(), {
    version: '580.95.05',
    cuda: '13.0',
    cards: [
      { name: 'NVIDIA H100 80GB HBM3', memory: 81559, freeMemory: 80995, computeCapability: 9 },
      { name: 'NVIDIA A10', memory: 23028, freeMemory: 100, computeCapability: 8.6 },
    ],
  });
});

test('what nvidia-smi does not know of a card is left out', async () => {
  const rows = 'NVIDIA GB10, [N/A], [N/A], 12.1, 580.95.05';
  const driver = await describeDriver(async (args) => (args.length === 0 ? summary : rows));
  assert.deepEqual(driver?.cards, [{ name: 'NVIDIA GB10', computeCapability: 12.1 }]);
  assert.equal(programBudget('cuda', driver!.cards[0]), 8 * 2 ** 30);
});

test('a driver without nvidia-smi is told from /proc, none from nothing', async (t) => {
  const file = path.join(await mkdtemp(path.join(tmpdir(), 'esta-proc-')), 'version');
  t.after(() => rm(path.dirname(file), { recursive: true }));
  const missing = () => Promise.reject(new Error('ENOENT'));
  assert.equal(await describeDriver(missing, file), undefined);
  await writeFile(
    file,
    'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.133.20  Release Build\nGCC version:  gcc 13',
  );
  assert.deepEqual(await describeDriver(missing, file), { version: '570.133.20', cards: [] });
});

test('versions of drivers are compared part by part', () => {
  const cases = ['580.65', '580.65.06', '580.9', '1000', '579.99'].map((version) => isAtLeast(version, '580.65'));
  assert.deepEqual(cases, [true, true, false, true, false]);
});
