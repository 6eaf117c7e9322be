import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { esta } from '../command-line.js';
import { temporaryFolder, writeRunFolder } from '../run-folder/run-folder-fixture.js';

test('without a folder all of runs/ is reported, figures and the next step named', async () => {
  const folder = await temporaryFolder();
  await writeRunFolder([{}], 'first', path.join(folder, 'runs'));
  const { status, stdout, stderr } = await esta(['report'], folder);
  assert.deepEqual([status, stderr], [0, '']);
  const names = ['figure.svg', 'figure.png', 'figure-deployed.svg', 'figure-deployed.png'];
  const written = names.map((name) => `Written: ${path.join('runs', 'first', name)}\n`);
  const next = 'Next: esta report runs/first --out report.html writes a page with the curve to explore\n';
  assert.ok(stdout.endsWith(written.join('') + next), stdout);
});

test('--json prints one document, with the files written', async () => {
  const run = await writeRunFolder([{}]);
  const { status, stdout, stderr } = await esta(['report', run, '--json']);
  assert.deepEqual([status, stderr], [0, '']);
  const document = JSON.parse(stdout) as { trials: { status: string }[]; files: string[] };
  assert.equal(document.trials[0]!.status, 'finished');
  assert.equal(document.files.length, 4);
});

test('a document for programs has standard output to itself', async () => {
  const run = await writeRunFolder([{}, { seed: 1, state: 'running' }]);
  const { stdout, stderr } = await esta(['report', run, '--format', 'csv']);
  assert.match(stdout, /^Data set,,1,2,/);
  assert.match(stderr, /^Note: .* is not complete: 1 of 2 trials have no result\nNext: esta run /);
});

test('--out by its name decides the format', async () => {
  const folder = await temporaryFolder();
  const { stdout } = await esta(['report', await writeRunFolder([{}]), '--out', 'page.html'], folder);
  assert.equal(stdout, 'Written: page.html\nNext: open page.html in a browser\n');
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
