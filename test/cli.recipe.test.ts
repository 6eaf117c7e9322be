import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { esta, executable } from './command-line.js';

test('help lists the commands and teaches', async () => {
  const root = await esta(['--help']);
  assert.equal(root.status, 0);
  assert.match(root.stdout, /\n {2}run +Run an experiment/);
  for (const args of [
    ['help', 'run'],
    ['run', '--help'],
    ['run', '-h'],
  ]) {
    const { status, stdout } = await esta(args);
    assert.equal(status, 0);
    assert.match(stdout, /EXAMPLES[\s\S]*\$ esta run quickstart/);
  }
});

test('usage errors: one message, exit status 2', async () => {
  const cases: [string[], RegExp][] = [
    [['rum'], /^Error: "rum" is not a command; did you mean run\?\nCommands: .*run/],
    [['data', 'nonsense'], /^Error: "data nonsense" is not a command/],
    [
      ['run'],
      /^Error: Missing 1 required arg:\nfile +Experiment file \(YAML\)\.\nSee the same command with --help\.\n$/,
    ],
    [['run', 'x', '--engin', 'auto'], /^Error: Nonexistent flag: --engin; did you mean --engine\?\n/],
    [
      ['run', 'x', '--engine', 'jax'],
      /^Error: Expected --engine=jax to be one of: auto, onnxruntime, tensorflow, nvidia\n/,
    ],
    [['run', 'x', 'y'], /^Error: Unexpected argument: y\n/],
  ];
  for (const [args, expected] of cases) {
    const { status, stdout, stderr } = await esta(args);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /\n +at /, 'no stack');
    assert.deepEqual([status, stdout], [2, ''], args.join(' '));
  }
});

test('with --json a failure is a document on standard output', async () => {
  for (const args of [
    ['run', 'nowhere.yaml', '--json'],
    ['run', '--json', '--nonsense'],
    ['rum', '--json'],
  ]) {
    const { status, stdout, stderr } = await esta(args);
    const { error } = JSON.parse(stdout);
    assert.ok(typeof error.message === 'string' && typeof error.hint === 'string');
    assert.deepEqual([status, stderr], [2, ''], args.join(' '));
  }
});

test('with --json, too, a full disk behind standard output is told on standard error', {
  skip: existsSync('/dev/full') ? false : 'needs /dev/full',
}, () => {
  for (const words of ['data list', 'data list --json', 'nonsense --json']) {
    const command = `"${process.execPath}" "${executable}" ${words} > /dev/full`;
    const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
    assert.equal(status, 1, words);
    assert.match(stderr, /^Error: writing failed: no space left on the device \(ENOSPC\)\n/, words);
  }
});
