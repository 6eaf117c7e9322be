import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { projectRoot } from '../command-line.js';

test('stand-ins are made for a provider that is installed', {
  skip: process.platform === 'win32' && 'a script of sh',
}, () => {
  const env = { ...process.env, ESTA_ENGINES: '/nowhere' };
  const options = { cwd: projectRoot, env, encoding: 'utf8' } as const;
  const { status, stderr } = spawnSync('data-scripts/stand-in-card.sh', ['/nowhere/out'], options);
  assert.equal(status, 2);
  assert.match(stderr, /^\/nowhere\/onnxruntime-cuda\/\S+ is not there: esta engine install --cuda/);
});
