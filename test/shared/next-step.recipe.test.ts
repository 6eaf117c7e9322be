/** What is printed behind "Next:" is pasted into a shell: these tests do so. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { estaCommand, formatNextStep } from '../../src/shared/next-step.js';
import { esta, projectRoot } from '../command-line.js';
import { writeRunFolder } from '../run-folder/run-folder-fixture.js';

const run = promisify(execFile);

/** A working folder with a space in its name, and a shell that finds `esta`. */
async function shell(t: TestContext) {
  const parent = await mkdtemp(path.join(tmpdir(), 'esta-next-'));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const [bin, cwd] = [path.join(parent, 'bin'), path.join(parent, "what's here")];
  await mkdir(bin);
  await mkdir(cwd);
  const script = `#!/bin/sh\nexec '${process.execPath}' '${path.join(projectRoot, 'dist/src/cli.js')}' "$@"\n`;
  await writeFile(path.join(bin, 'esta'), script, { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
  return { cwd, run: (command: string) => run('/bin/sh', ['-c', command], { cwd, env }) };
}

/** The one command that a text tells to run next. */
function nextIn(text: string): string {
  const lines = text.split('\n').filter((line) => line.includes('Next:'));
  assert.equal(lines.length, 1, text);
  assert.match(lines[0]!, /^Next: esta /, 'the command and nothing else');
  return lines[0]!.slice('Next: '.length);
}

const onPosix = { skip: process.platform === 'win32' && 'there is no POSIX shell' };

test('words reach a shell as they are', onPosix, async () => {
  const words = ['plain', 'two words', "it's", '$HOME', '*', 'a;b', '', 'data.root=./x', 'Café'];
  const quoted = estaCommand(...words).replace(/^esta /, '');
  const { stdout } = await run('/bin/sh', ['-c', `printf '%s\\n' ${quoted}`]);
  assert.deepEqual(stdout.split('\n').slice(0, -1), words);
  assert.equal(formatNextStep({ purpose: 'A list:', command: 'esta data list' }), 'A list:\nNext: esta data list');
});

test('report names the command that writes the page, also of a folder with spaces', onPosix, async (t) => {
  const { cwd, run: runShell } = await shell(t);
  await writeRunFolder([{}], 'two words', path.join(cwd, 'runs'));
  const { stdout } = await runShell("esta report 'runs/two words'");
  await runShell(nextIn(stdout));
  assert.ok((await stat(path.join(cwd, 'runs/two words/report.html'))).size > 10_000);
  const written = await runShell(nextIn(stdout));
  assert.equal(written.stdout, 'Written: runs/two words/report.html\nOpen runs/two words/report.html in a browser.\n');
});

test('data list, and what a missing data set is prepared with', onPosix, async (t) => {
  const { run: runShell } = await shell(t);
  const list = await runShell('esta data list');
  const files = await runShell(nextIn(list.stdout));
  assert.match(files.stdout, /Download CUB-200-2011/);
  const check = await esta(['data', 'check', 'cifar-100', '--root', 'no where']);
  const prepare: { stderr: string } = await runShell(nextIn(check.stderr)).catch((error) => error);
  assert.match(prepare.stderr, /Download CIFAR-100/);
});

test('a file for another command, and no runs at all: the command that is right', onPosix, async (t) => {
  const { cwd, run: runShell } = await shell(t);
  const file = path.join(projectRoot, 'experiments/quickstart.yaml');
  const { stderr } = await esta(['pretrain', file]);
  await runShell(`${nextIn(stderr)} --dry-run`);
  const none = await esta(['report'], cwd);
  await runShell(`${nextIn(none.stderr)} --dry-run`);
});

test('every "Next:" comes from formatNextStep, and its command exists', async () => {
  const sources = (await Promise.all(['src', 'commands'].map(typescriptBelow))).flat();
  for (const file of sources.filter((name) => !name.endsWith('src/shared/next-step.ts'))) {
    const text = await readFile(file, 'utf8');
    assert.ok(!/[`'"](\\n)?Next: /.test(text), file);
    for (const [, words] of text.matchAll(/estaCommand\(((?:'[a-z]+'(?:, )?)+)/g)) {
      const name = words!.replaceAll(/['\s]/g, '').split(',').filter(Boolean);
      const command = path.join(projectRoot, 'commands', `${name.join('/')}.ts`);
      await stat(command);
    }
  }
});

async function typescriptBelow(folder: string): Promise<string[]> {
  const names = await readdir(path.join(projectRoot, folder), { recursive: true });
  return names.filter((name) => name.endsWith('.ts')).map((name) => path.join(projectRoot, folder, name));
}
