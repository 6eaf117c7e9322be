import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const allocator = fileURLToPath(new URL('../../src/shared/allocator.js', import.meta.url));

/** A program that starts itself again and does `work` there, with the arguments it was given. */
async function program(folder: string, work: string, ...args: string[]) {
  const file = path.join(folder, 'program.mjs');
  const body = `import { ranWithKeptMemory } from ${JSON.stringify(allocator)};
    if (!(await ranWithKeptMemory(process.argv.slice(2)))) { ${work} }`;
  await writeFile(file, body);
  const { GLIBC_TUNABLES: _, ...env } = process.env;
  return spawnSync(process.execPath, [file, ...args], { encoding: 'utf8', env });
}

test('long commands run with the settings of the C library, and keep their output and exit status', {
  skip: process.platform !== 'linux' && 'the settings are those of glibc on Linux',
}, async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-allocator-'));
  t.after(() => rm(folder, { recursive: true }));
  const work = 'console.log(process.env.GLIBC_TUNABLES, process.argv[3]); process.exitCode = 7;';
  const { status, stdout } = await program(folder, work, 'run', 'a file.yaml');
  assert.equal(status, 7);
  assert.match(stdout, /glibc\.malloc\.trim_threshold=17179869184\S* a file\.yaml\n/);
  for (const args of [['doctor'], ['run', '--help']]) {
    assert.match((await program(folder, work, ...args)).stdout, /^undefined /, `${args} answers at once`);
  }
  const killed = await program(folder, "process.kill(process.pid, 'SIGKILL');", 'run');
  assert.equal(killed.signal, 'SIGKILL', 'a command that died of a signal says so');
});
