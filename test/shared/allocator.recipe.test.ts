import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const allocator = fileURLToPath(new URL('../../src/shared/allocator.js', import.meta.url));

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-allocator-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** A program that starts itself again and does `work` there; and the environment to start it in. */
async function program(folder: string, work: string) {
  const file = path.join(folder, 'program.mjs');
  const body = `import { ranInTunedProcess } from ${JSON.stringify(allocator)};
    if (!(await ranInTunedProcess(process.argv.slice(2)))) { ${work} }`;
  await writeFile(file, body);
  const { GLIBC_TUNABLES: _, ...env } = process.env;
  return { file, env };
}

async function ended(folder: string, work: string, ...args: string[]) {
  const { file, env } = await program(folder, work);
  return spawnSync(process.execPath, [file, ...args], { encoding: 'utf8', env });
}

const onLinux = { skip: process.platform !== 'linux' && 'the settings are those of glibc on Linux' };

test(
  'long commands run with the settings of the C library, and keep their output and exit status',
  onLinux,
  async (t) => {
    const folder = await temporaryFolder(t);
    const work = 'console.log(process.env.GLIBC_TUNABLES, process.argv[3]); process.exitCode = 7;';
    const { status, stdout } = await ended(folder, work, 'run', 'a file.yaml');
    assert.equal(status, 7);
    assert.match(stdout, /glibc\.malloc\.trim_threshold=17179869184\S* a file\.yaml\n/);
    for (const args of [['doctor'], ['run', '--help']]) {
      assert.match((await ended(folder, work, ...args)).stdout, /^undefined /, `${args} answers at once`);
    }
    const killed = await ended(folder, "process.kill(process.pid, 'SIGKILL');", 'run');
    assert.equal(killed.signal, 'SIGKILL', 'a command that died of a signal says so');
  },
);

const inContainer = ['--user', '--map-root-user', '--pid', '--fork'];
const noContainer = spawnSync('unshare', [...inContainer, 'true']).status === 0 ? false : 'needs namespaces of Linux';

test('the first process of a container tells that its command was killed', { skip: noContainer }, async (t) => {
  const { file, env } = await program(await temporaryFolder(t), "process.kill(process.pid, 'SIGKILL');");
  const { status } = spawnSync('unshare', [...inContainer, process.execPath, file, 'run'], { env });
  assert.equal(status, 137);
});

test('other variables that a process needs from its start make any command start again, once', onLinux, async (t) => {
  const file = path.join(await temporaryFolder(t), 'program.mjs');
  const body = `import { ranInTunedProcess } from ${JSON.stringify(allocator)};
    const lacking = process.env.WANTED ? {} : { WANTED: 'yes' };
    if (!(await ranInTunedProcess(['predict'], lacking))) console.log(process.env.WANTED, process.env.GLIBC_TUNABLES);`;
  await writeFile(file, body);
  const { GLIBC_TUNABLES: _, WANTED: __, ...env } = process.env;
  assert.equal(spawnSync(process.execPath, [file], { encoding: 'utf8', env }).stdout, 'yes undefined\n');
});

test('a command does not go on when the process that was started is killed outright', onLinux, async (t) => {
  const { file, env } = await program(
    await temporaryFolder(t),
    'console.log(process.pid); setInterval(() => {}, 1e3);',
  );
  const started = spawn(process.execPath, [file, 'run'], { env });
  const [line] = (await once(started.stdout, 'data')) as [Buffer];
  const worker = Number(line.toString());
  t.after(() => isAlive(worker) && process.kill(worker, 'SIGKILL'));
  started.kill('SIGKILL');
  // The runner's own limit ends a test that waits for ever.
  while (isAlive(worker)) await wait(50);
});

test('Ctrl-C is answered at once, also while a step keeps the only thread busy', onLinux, async (t) => {
  const interrupt = fileURLToPath(new URL('../../src/shared/interrupt.js', import.meta.url));
  // A step of two seconds; then the signal is seen. Only steps of a training are followed by saving.
  const step = `console.log('step');
    const end = Date.now() + 2000;
    while (Date.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 100));`;
  const work = (steps: string) => `const { interruptSignal, savingSteps } = await import(${JSON.stringify(interrupt)});
    const signal = interruptSignal();
    ${steps}
    console.log(signal.aborted ? 'saved' : 'lost');
    process.exit(signal.aborted ? 130 : 0);`;
  const training = work(`await savingSteps(async () => { ${step} });`);
  const saving = /^\nStopping: saving after this step\. Ctrl-C once more ends at once\.\n$/;
  const plain = /^\nStopping\. Ctrl-C once more ends at once\.\n$/;
  for (const [signal, command, steps, expected] of [
    ['SIGINT', 'run', training, saving],
    ['SIGTERM', 'run', training, saving],
    ['SIGHUP', 'run', training, saving],
    ['SIGINT', 'generate', work(step), plain],
    ['SIGINT', 'run', work(`await savingSteps(async () => {}); ${step}`), plain],
  ] as const) {
    const { file, env } = await program(await temporaryFolder(t), steps);
    const started = spawn(process.execPath, [file, command], { env });
    let [out, answer] = ['', ''];
    const ended = once(started, 'close');
    await once(started.stdout, 'data');
    started.stdout.on('data', (text) => (out += String(text)));
    started.kill(signal);
    const [line] = (await once(started.stderr, 'data')) as [Buffer];
    answer = line.toString();
    assert.equal(out, '', 'the step is still under way');
    assert.match(answer, expected, signal);
    const [status] = await ended;
    assert.deepEqual([status, out], [130, 'saved\n'], signal);
  }
});

/** A process that has ended and waits for its parent to look, as a container's first process may never do, is not alive. */
function isAlive(pid: number): boolean {
  const stat = readFileIfThere(`/proc/${pid}/stat`);
  return stat !== undefined && stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
}

function readFileIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
