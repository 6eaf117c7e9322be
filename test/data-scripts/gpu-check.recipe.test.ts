/** The script for a card, as far as it goes without one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../command-line.js';

const onLinux = { skip: process.platform !== 'linux' && 'a script of sh, with timeout' };

test('stages go on past one that fails, which is named, and a page says how they ended', onLinux, async (t) => {
  const out = await mkdtemp(path.join(tmpdir(), 'esta-gpu-check-'));
  t.after(() => rm(out, { recursive: true }));
  // What a peer prints, before it dies.
  const peer = path.join(out, 'peer.py');
  await writeFile(
    peer,
    `print('{"model": "vit-tiny", "mode": "tf32", "forward_ms": 7.8, "step_ms": 22.4}')\nraise SystemExit(3)\n`,
  );
  const args = ['--device', 'cpu', '--out', out, '--stages', 'peer,parity', '--peer', peer];
  const { status, stdout, stderr } = spawnSync('data-scripts/gpu-check.sh', args, {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  assert.equal(status, 1, stderr);
  const summary = await readFile(path.join(out, 'summary.md'), 'utf8');
  assert.ok(stdout.includes(summary));
  assert.match(summary, /\| parity-float32 \| \d+ \| done \|\n\| peer \| \d+ \| failed with status 3 \|/);
  assert.match(summary, /\| float32 \| 0\.0e\+0 \| 1\.0e-4 \| yes \|/);
  assert.match(summary, /\| vit-tiny \| tf32 \| 7\.8 \| 22\.4 \|/);
});

test('what there is no time for is left out, and named', onLinux, async (t) => {
  const out = await mkdtemp(path.join(tmpdir(), 'esta-gpu-check-'));
  t.after(() => rm(out, { recursive: true }));
  const args = ['--out', out, '--stages', 'doctor', '--seconds', '3'];
  const { status, stdout } = spawnSync('data-scripts/gpu-check.sh', args, { cwd: projectRoot, encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stdout, /\| doctor \| 0 \| left out: no time \|/);
});

test('an option that is not known is refused', onLinux, () => {
  const { status, stderr } = spawnSync('data-scripts/gpu-check.sh', ['--quick'], {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  assert.deepEqual([status, stderr.split(';')[0]], [2, '--quick is not known']);
});
