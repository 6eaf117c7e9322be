import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError, TrialError } from '../../src/shared/errors.js';
import { failureOf, formatFailure } from '../../src/shared/failures.js';

test('expected failures have a message and a hint, no stack', () => {
  const failure = failureOf(new RequestError('wrong', 'do this'));
  assert.deepEqual(failure, { exitStatus: 2, message: 'wrong', hint: 'do this' });
  assert.equal(formatFailure(failure!), 'Error: wrong\ndo this');
  assert.deepEqual(failureOf(new TrialError('not finite')), { exitStatus: 1, message: 'not finite' });
});

test('signs that would command the terminal are written out', () => {
  const failure = failureOf(new RequestError('tensor \u001b[31mx\u0007 of a\r\n\tb é', 'do \u009b this'))!;
  assert.equal(formatFailure(failure), 'Error: tensor \\x1b[31mx\\x07 of a\\x0d\n\tb é\ndo \\x9b this');
});

test('what oclif writes around the message of a flag is taken off', () => {
  const thrown = new RequestError('--budget: 9 GFLOPs', 'Did you mean 0.9?');
  thrown.message = `Parsing --budget \n\t${thrown.message}\nSee more help with --help`; // parser/parse.js of @oclif/core 4
  assert.deepEqual(failureOf(thrown), { exitStatus: 2, message: '--budget: 9 GFLOPs', hint: 'Did you mean 0.9?' });
});

test('a flag whose value oclif refuses is named as in other messages', () => {
  const thrown = new Error('Parsing --threads \n\tExpected an integer but received: x\nSee more help with --help');
  assert.deepEqual(failureOf(Object.assign(thrown, { oclif: { exit: 2 } })), {
    exitStatus: 2,
    message: '--threads: Expected an integer but received: x',
    hint: 'See the same command with --help.',
  });
});

test('output on a full disk, or on a terminal that was closed, is no bug', () => {
  const failure = failureOf(Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC', syscall: 'write' }))!;
  assert.deepEqual([failure.exitStatus, failure.stack], [1, undefined]);
  assert.match(failure.message, /no space left on the device \(ENOSPC\)/);
  const closed = failureOf(Object.assign(new Error('write EIO'), { code: 'EIO', syscall: 'write' }))!;
  assert.match(closed.message, /terminal was closed/);
});

test('a bug shows its stack', () => {
  const failure = failureOf(new TypeError('x is not a function'))!;
  assert.equal(failure.exitStatus, 70);
  assert.match(formatFailure(failure), /this is a bug: x is not a function\n.*\n\nTypeError: x.*\n +at /);
  assert.equal(failureOf('thrown text')?.message, 'this is a bug: thrown text');
});
