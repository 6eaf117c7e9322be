/** The profile of a step, on the stand-in of a card. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { projectRoot } from '../command-line.js';
import { buildStandIn, noStandIn } from '../engine/nvidia/stand-in/stand-in.js';

test('a profile names what takes the time of a step, with the source of its kernels', {
  skip: noStandIn ?? false,
}, (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-profile-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const sources = path.join(folder, 'kernels.txt');
  const models = ['--model', 'vit_mini_tiny', '--model', 'vit_mini_small'];
  const options = ['--batch', '1', '--repeat', '1', '--precision', 'mixed', '--sources', sources];
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['dist/data-scripts/profile-card.js', ...models, ...options],
    { cwd: projectRoot, encoding: 'utf8', env: { ...process.env, LD_LIBRARY_PATH: buildStandIn() } },
  );
  assert.equal(status, 0, stderr);
  const [title, head, ...rows] = stdout.trimEnd().split('\n');
  assert.match(title!, /^stand-in, mixed, [\d.]+ ms a step$/);
  assert.equal(head, 'ms a step     %  count TFLOP/s');
  // Each call takes half a millisecond of the stand-in.
  for (const row of rows) {
    const [milliseconds, , count] = row.trim().split(/\s+/).map(Number);
    assert.equal(milliseconds, count! / 2, row);
  }
  assert.ok(
    rows.some((row) => /mixed 65x64x64, a bfloat16, b'? bfloat16, c \w+$/.test(row)),
    stdout,
  );
  const kernels = rows.map((row) => / (k[0-9a-f]{16})$/.exec(row)?.[1]).filter((name) => name !== undefined);
  assert.ok(kernels.length > 5);
  const text = readFileSync(sources, 'utf8');
  for (const name of kernels) assert.ok(text.includes(`__global__ void ${name}(`), name);
});
