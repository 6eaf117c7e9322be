import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { esta, executable } from '../command-line.js';
import { temporaryFolder, writeRunFolder } from '../run-folder/run-folder-fixture.js';

const run = promisify(execFile);

test('without a folder all of runs/ is reported, figures and the next step named', async () => {
  const folder = await temporaryFolder();
  await writeRunFolder([{}], 'first', path.join(folder, 'runs'));
  const { status, stdout, stderr } = await esta(['report'], folder);
  assert.deepEqual([status, stderr], [0, '']);
  const names = ['figure.svg', 'figure.png', 'figure-deployed.svg', 'figure-deployed.png'];
  const written = names.map((name) => `Written: ${path.join('runs', 'first', name)}\n`);
  const next = 'A page with the curve to explore:\nNext: esta report runs/first --out runs/first/report.html\n';
  assert.ok(stdout.endsWith(written.join('') + next), stdout);
});

test('--json prints one document, with the files written', async () => {
  const runFolder = await writeRunFolder([{}]);
  const { status, stdout, stderr } = await esta(['report', runFolder, '--json']);
  assert.deepEqual([status, stderr], [0, '']);
  const document = JSON.parse(stdout) as { trials: { status: string }[]; files: string[] };
  assert.equal(document.trials[0]!.status, 'finished');
  assert.equal(document.files.length, 4);
});

test('a document for programs has standard output to itself', async () => {
  const runFolder = await writeRunFolder([{}, { seed: 1, state: 'running' }]);
  const { stdout, stderr } = await esta(['report', runFolder, '--format', 'csv']);
  assert.match(stdout, /^Data set,,1,2,/);
  assert.match(
    stderr,
    /^Note: .* is not complete: 1 of 2 trials have no result\n1 trial has no result yet\. .*\nNext: esta run /,
  );
});

test('--out by its name decides the format', async () => {
  const folder = await temporaryFolder();
  const { stdout } = await esta(['report', await writeRunFolder([{}]), '--out', 'page.html'], folder);
  assert.equal(stdout, 'Written: page.html\nOpen page.html in a browser.\n');
  assert.match(await readFile(path.join(folder, 'page.html'), 'utf8'), /^<!doctype html>/);
});

test('a folder that does not exist, and no runs at all: exit status 2 with one message', async () => {
  const folder = await temporaryFolder();
  const absent = await esta(['report', 'nope'], folder);
  assert.equal(absent.status, 2);
  assert.match(absent.stderr, /^Error: nope does not exist\n/);
  const none = await esta(['report'], folder);
  assert.equal(none.status, 2);
  assert.match(none.stderr, /^Error: there is no run folder in runs\//);
});

test('a run folder that may only be read is reported, without figures', async (t) => {
  // The owner of everything writes where nobody may: somebody else has to read then.
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const reads = await run(process.execPath, [executable, '--version'], nobody).catch(() => undefined);
  if (process.platform === 'win32' || !reads) return t.skip('no folder can be read and not written here');
  const folder = await writeRunFolder([{}]);
  await chmod(path.dirname(folder), 0o755);
  await chmod(folder, 0o555);
  const { stdout } = await run(process.execPath, [executable, 'report', folder], nobody);
  assert.match(stdout, /^FLOPs and top-1 accuracy of the deployed stitches/);
  assert.match(
    stdout,
    /^Note: no figures: .*figure\.svg cannot be written \(EACCES\); --out DIR writes them elsewhere$/m,
  );
  assert.deepEqual(await readdir(folder), ['experiment.yaml', 'trials']);
});
