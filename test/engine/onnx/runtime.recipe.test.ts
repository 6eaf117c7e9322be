/** ONNX Runtime keeps to itself: no file of its own in the user's folders, no connection. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';

const run = promisify(execFile);
const moduleOf = (name: string) => JSON.stringify(new URL(`../../../src/engine/${name}`, import.meta.url).href);

/** Computes with the engine, as one who uses the package as a library. */
const program = `
  const { createOnnxEngine } = await import(${moduleOf('onnx/engine.js')});
  const { selfCheck } = await import(${moduleOf('doctor/self-check.js')});
  const engine = await createOnnxEngine({ threads: 1 });
  if ((await selfCheck(engine)) !== 0) throw new Error('wrong');
  await engine.dispose();`;
const nodeArguments = ['--input-type=module', '--eval', program];

/** An environment whose user folders are empty. */
function environmentIn(home: string): NodeJS.ProcessEnv {
  const { ORT_DISABLE_TELEMETRY: _, ...rest } = process.env;
  const folders = ['XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'TMPDIR'];
  return { ...rest, HOME: home, ...Object.fromEntries(folders.map((name) => [name, home])) };
}

async function inEmptyHome(check: (home: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(path.join(tmpdir(), 'esta-home-'));
  try {
    await check(home);
  } finally {
    await rm(home, { recursive: true });
  }
}

test('a session writes nothing into the folders of its user', () =>
  inEmptyHome(async (home) => {
    await run(process.execPath, nodeArguments, { env: environmentIn(home) });
    assert.deepEqual(await readdir(home), []);
  }));

const skip = spawnSync('strace', ['-V']).status === 0 ? false : 'strace is not installed';

test('a session makes no file and opens no connection, as the system sees it', { skip }, () =>
  inEmptyHome(async (home) => {
    const trace = path.join(home, 'trace');
    const calls = 'trace=open,openat,creat,mkdir,mkdirat,socket,connect,sendto';
    const command = ['-f', '-o', trace, '-e', calls, process.execPath, ...nodeArguments];
    await run('strace', command, { env: environmentIn(home) });
    const lines = (await readFile(trace, 'utf8')).split('\n');
    assert.ok(
      lines.some((line) => line.includes('onnxruntime_binding.node')),
      'the library was traced',
    );
    assert.deepEqual(
      lines.filter((line) => /\b(creat|mkdir|mkdirat|connect|sendto)\(|O_CREAT|AF_INET/.test(line)),
      [],
    );
  }),
);

test('a worker whose environment cannot reach the library refuses to load it', async () => {
  const file = fileURLToPath(new URL('../../../src/engine/onnx/no-telemetry.js', import.meta.url));
  const errorWith = (env: NodeJS.ProcessEnv) =>
    new Promise<Error | undefined>((resolve) => {
      const worker = new Worker(file, { env });
      worker.once('error', resolve).once('exit', () => resolve(undefined));
    });
  assert.match(String(await errorWith({})), /report home from this worker: set ORT_DISABLE_TELEMETRY=1/);
  assert.equal(await errorWith({ ORT_DISABLE_TELEMETRY: '1' }), undefined);
});
