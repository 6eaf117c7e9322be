import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { summaryOf } from '../../data-scripts/gpu-check/summary.js';

test('steps beside those of the peer, memory, and stages that left nothing', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-summary-'));
  t.after(() => rm(folder, { recursive: true }));
  const result = { model: 'B', forward_ms: 29.1, step_ms: 75.9, esta_step_ms: 157, gflops_per_second: 25_000 };
  const bench = { precision: 'tf32', batch: 64, matmul_gflops_per_second: 200_000, results: [result] };
  const files = {
    'stages.txt': 'bench-tf32|40|done\nquickstart|75|stopped after 75 s\n',
    'bench-tf32.json': JSON.stringify(bench),
    'bench-mixed.json': '{"precis', // stopped half-way
    'parity-tf32.json': '{"error": {"message": "no card"}}',
    'peer.txt': 'NVIDIA H100 2.11\n{"esta_step_S_to_B": 89.5, "mode": "tf32"}\n',
    'memory.csv': '2026/11/26 20:00:00.000, 1000\n2026/11/26 20:00:01.000, 24000\n',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
  assert.equal(
    await summaryOf(folder),
    `| Stage | Seconds | How it ended |
| --- | --- | --- |
| bench-tf32 | 40 | done |
| quickstart | 75 | stopped after 75 s |

esta, tf32, batch 64

| Model | Forward (ms) | Step (ms) | ESTA step (ms) | TFLOP/s | Of the matmul rate |
| --- | --- | --- | --- | --- | --- |
| B | 29.1 | 75.9 | 157 | 25.0 | 13 % |

The peer

| Model | Mode | Forward (ms) | Step (ms) |
| --- | --- | --- | --- |
| ESTA step | tf32 | - | 89.5 |

Most memory of the card in use at once, all stages: 24000 MiB.`,
  );
});
