import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { summaryOf } from '../../data-scripts/gpu-check/summary.js';

test('steps beside those of the peer, memory, and stages that left nothing', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-summary-'));
  t.after(() => rm(folder, { recursive: true }));
  const result = {
    model: 'vit_base_patch16_224',
    forward_ms: 29.1,
    step_ms: 75.9,
    esta_step_ms: 157,
    gflops_per_second: 25_000,
  };
  const bench = { precision: 'tf32', batch: 64, matmul_gflops_per_second: 200_000, results: [result] };
  const more = { sn_net_step_ms: 210, esta_device_memory_mib: 6270 };
  const loading = { threads: 4, results: [{ images_per_second: 900.5, cache_hit_rate: 0.25 }] };
  const files = {
    'stages.txt': 'bench-tf32|40|done\nquickstart|75|stopped after 75 s\n',
    'bench-tf32.json': JSON.stringify({ ...bench, ...more }),
    'data.json': JSON.stringify(loading),
    'bench-mixed.json': '{"precis', // stopped half-way
    'parity-tf32.json': '{"error": {"message": "no card"}}',
    'peer.txt':
      'NVIDIA H100 2.11\n{"esta_step_S_to_B": 89.5, "mode": "tf32"}\n{"esta_reserved_MiB": 5788, "mode": "tf32"}\n' +
      '{"sn_net_step_S_to_B": 200, "mode": "tf32"}\n{"sn_net_step_S_to_B": 26.4, "mode": "bf16"}\n' +
      '{"model": "vit-base", "mode": "tf32", "compile": false, "forward_ms": 18.8, "step_ms": 50.9}\n' +
      '{"model": "vit-base", "mode": "tf32", "compile": true, "forward_ms": 17.5, "step_ms": 47.8}\npeak GiB 5.59\n',
    'generate-8B.json': JSON.stringify({
      ...{ model: '7B[0-27] -> 13B[33-40]', weights: '8bit', precision: 'tf32', params: 8.0007e9, prompt: 64 },
      ...{ prompt_tokens_per_second: 9000, seconds_per_token: 0.0052, gigabytes_per_second: 1600 },
    }),
    'text-step-llama_7b.json': JSON.stringify({
      ...{ precision: 'mixed', batch: 4, tokens: 256 },
      results: [{ model: 'llama_7b', forward_ms: 60, step_ms: 200 }],
    }),
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
| vit_base_patch16_224 | 29.1 | 75.9 | 157 | 25.0 | 13 % |

The peer

| Model | Mode | Forward (ms) | Step (ms) |
| --- | --- | --- | --- |
| ESTA step | tf32 | - | 89.5 |
| SN-Net step | tf32 | - | 200 |
| SN-Net step | bf16 | - | 26.4 |
| vit-base | tf32 | 18.8 | 50.9 |
| vit-base | tf32, compiled | 17.5 | 47.8 |

| Measured | Precision | esta | PyTorch beside it | Share | Bar | Reached |
| --- | --- | --- | --- | --- | --- | --- |
| ViT-B forward, ms | tf32 | 29.1 | 18.8 | 1.55x | 1.0x | NO |
| ViT-B step, ms | tf32 | 75.9 | 50.9 | 1.49x | 1.0x | NO |
| ViT-B step, PyTorch compiled, ms | tf32 | 75.9 | 47.8 | 1.59x | 1.0x | NO |
| ESTA step, ms | tf32 | 157 | 89.5 | 1.75x | 1.0x | NO |
| SN-Net step, ms | tf32 | 210 | 200 | 1.05x | 1.2x | yes |
| ESTA step, MiB of the card | tf32 | 6270 | 5788 | 1.08x | 1.2x | yes |

Images a second that 4 threads prepare, epoch by epoch: 900.5 (25 % from memory).

| Model | Parameters | Prompt (tokens/s) | Token (s) | Paper | Bar | Reads (GB/s) |
| --- | --- | --- | --- | --- | --- | --- |
| 7B[0-27] -> 13B[33-40], 8bit | 8.00 B | 9000 | 0.0052 | 0.037 | 0.011 | 1600 |

| Model | Precision | Texts x tokens | Forward (ms) | Step (ms) | Trained tokens/s |
| --- | --- | --- | --- | --- | --- |
| llama_7b | mixed | 4 x 256 | 60 | 200 | 5120 |

Most memory of the card in use at once, all stages: 24000 MiB.`,
  );
});
