/** One process at a time may write into a folder; whoever lost it writes nothing. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { claimFolder, isHeld, type Lock, LostLock } from '../../src/run-folder/lock.js';
import { RequestError } from '../../src/shared/errors.js';
import { appendJsonLine, writeAtomic } from '../../src/shared/files.js';
import { thisProcess } from '../../src/shared/processes/process-mark.js';

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-lock-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The lock of somebody else, as it lies in the folder. */
function writeLock(folder: string, number: number, mark: object, secondsAgo = 0): void {
  const file = path.join(folder, `lock.${number}`);
  writeFileSync(file, JSON.stringify({ since: '2026-01-01T00:00:00Z', token: 'other', ...mark }));
  const time = Date.now() / 1000 - secondsAgo;
  utimesSync(file, time, time);
}

const claim = async (folder: string, options?: Parameters<typeof claimFolder>[1]): Promise<Lock> => {
  const claimed = await claimFolder(folder, options);
  assert.ok(!('heldBy' in claimed), JSON.stringify(claimed));
  return claimed;
};

test('a held folder names its holder; a released one can be claimed again', async (t) => {
  const folder = temporaryFolder(t);
  const lock = await claim(folder);
  assert.equal(await isHeld(folder), true);
  const refused = await claimFolder(folder);
  assert.ok('heldBy' in refused);
  assert.deepEqual([refused.heldBy.host, refused.heldBy.pid], [hostname(), process.pid]);
  await lock.release();
  assert.equal(await isHeld(folder), false);
  await (await claim(folder)).release(true);
  assert.deepEqual(readdirSync(folder), [], 'nothing is left of a lock that nobody needs again');
});

test('a lock is stale when its process has ended, or has given no sign of life; clocks of hosts do not matter', async (t) => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const { namespace } = thisProcess();
  const here = { host: hostname(), ...(namespace && { namespace }) };
  const cases: readonly [what: string, mark: object, secondsAgo: number, isStale: boolean][] = [
    ['ended here', { ...here, pid }, 0, true],
    ['the number was given out again', { ...here, pid: process.pid, started: '1' }, 0, true],
    ['alive here', thisProcess(), 0, false],
    ['stopped here', thisProcess(), 121, true],
    ['on another machine of the same name', { ...here, pid, boot: 'another' }, 60, false],
    ['elsewhere', { host: 'elsewhere', pid }, 60, false],
    ['silent elsewhere', { host: 'elsewhere', pid }, 121, true],
    ['in another container', { ...here, namespace: 'pid:[1]', pid }, 60, false],
  ];
  for (const [what, mark, secondsAgo, isStale] of cases) {
    const folder = temporaryFolder(t);
    writeLock(folder, 3, mark, secondsAgo);
    const claimed = await claimFolder(folder);
    assert.equal(!('heldBy' in claimed), isStale, what);
    if (!('heldBy' in claimed)) {
      assert.deepEqual(readdirSync(folder), ['lock.4'], what);
      await claimed.release(true);
    }
  }
});

test('of many that find a stale lock, one gets it', async (t) => {
  const folder = temporaryFolder(t);
  writeLock(folder, 1, { host: 'elsewhere', pid: 1 }, 600);
  const claims = await Promise.all(Array.from({ length: 20 }, () => claimFolder(folder, { heartbeatSeconds: 0 })));
  const winners = claims.filter((claimed) => !('heldBy' in claimed));
  assert.equal(winners.length, 1);
  await (winners[0] as Lock).check();
});

test('a folder that cannot be is refused in words', async (t) => {
  const file = path.join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  for (const folder of [file, path.join(file, 'run')]) {
    await assert.rejects(claimFolder(folder), (error) => {
      return error instanceof RequestError && error.message.startsWith(`${folder} cannot be a folder`);
    });
  }
});

test('whoever lost the lock writes nothing', async (t) => {
  const folder = temporaryFolder(t);
  const lock = await claim(folder);
  await writeAtomic(path.join(folder, 'status.json'), 'mine');
  writeLock(folder, 2, { host: 'elsewhere', pid: 77 });
  const lost = (error: unknown) =>
    error instanceof LostLock && /taken over by process 77 on elsewhere/.test(error.message);
  await assert.rejects(writeAtomic(path.join(folder, 'status.json'), 'late'), lost);
  await assert.rejects(appendJsonLine(path.join(folder, 'metrics.jsonl'), {}), lost);
  await lock.release();
  assert.deepEqual(readdirSync(folder).sort(), ['lock.1', 'lock.2', 'status.json']);
  await writeAtomic(path.join(folder, 'status.json'), 'without a lock');
});

test('the lock stays young while the main thread is busy', async (t) => {
  const folder = temporaryFolder(t);
  const lock = await claim(folder, { heartbeatSeconds: 0.1 });
  await setTimeout(500); // the thread starts
  const before = statSync(path.join(folder, 'lock.1')).mtimeMs;
  const end = Date.now() + 1500;
  while (Date.now() < end);
  assert.ok(statSync(path.join(folder, 'lock.1')).mtimeMs > before);
  await lock.release();
});

test('a holder that was stopped past its heartbeat notices and ends', { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const compiled = (name: string) => pathToFileURL(fileURLToPath(new URL(`../../src/${name}`, import.meta.url))).href;
  const program = `
    const { claimFolder } = await import('${compiled('run-folder/lock.js')}');
    const { appendJsonLine } = await import('${compiled('shared/files.js')}');
    await claimFolder(${JSON.stringify(folder)}, { heartbeatSeconds: 0.2, staleSeconds: 2 });
    console.log('claimed');
    for (;;) {
      await appendJsonLine(${JSON.stringify(path.join(folder, 'metrics.jsonl'))}, { from: 'child' });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }`;
  const script = path.join(temporaryFolder(t), 'holder.mjs');
  writeFileSync(script, program);
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (text) => (errors += String(text)));
  const ended = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), ended.then(() => assert.fail(errors))]);
  await setTimeout(300);
  child.kill('SIGSTOP');
  await setTimeout(2500);
  const lock = await claim(folder, { staleSeconds: 2 });
  const size = statSync(path.join(folder, 'metrics.jsonl')).size;
  child.kill('SIGCONT');
  const [status] = await ended;
  assert.equal(status, 1);
  assert.match(errors, /was taken over by process \d+ on this machine/);
  assert.equal(statSync(path.join(folder, 'metrics.jsonl')).size, size, 'not a line was written since');
  await lock.check();
  await lock.release();
});

test('seconds of the environment that cannot be, or would make every lock stale, are refused', async (t) => {
  const folder = temporaryFolder(t);
  const [beat, stale] = ['ESTA_HEARTBEAT_SECONDS', 'ESTA_STALE_SECONDS'] as const;
  const before = { [beat]: process.env[beat], [stale]: process.env[stale] };
  const set = (values: Readonly<Record<string, string | undefined>>) => {
    for (const name of [beat, stale]) {
      if (values[name] === undefined) delete process.env[name];
      else process.env[name] = values[name];
    }
  };
  t.after(() => set(before));
  const refusals: readonly [values: Readonly<Record<string, string>>, message: RegExp][] = [
    [{ [stale]: '2 min' }, /^ESTA_STALE_SECONDS=2 min: a number of seconds above 0, at most 604800$/],
    [{ [beat]: '-1' }, /^ESTA_HEARTBEAT_SECONDS=-1: a number/],
    [{ [beat]: '1e8', [stale]: '1e9' }, /^ESTA_HEARTBEAT_SECONDS=1e8: a number/],
    [{ [beat]: '200' }, /^ESTA_HEARTBEAT_SECONDS is 200, ESTA_STALE_SECONDS 120: locks of processes that work would/],
  ];
  for (const [values, message] of refusals) {
    set(values);
    await assert.rejects(claimFolder(folder), (error) => error instanceof RequestError && message.test(error.message));
  }
  set({ [beat]: '100', [stale]: '' });
  await (await claim(folder)).release(true);
});
