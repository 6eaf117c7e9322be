/** What is told of instructions: copies among the held out, and entries without an answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notesOn } from '../../../src/data/instructions/notes.js';

const entry = (instruction: string, output = 'x', input = '') => ({ instruction, input, output });

test('nothing is told of entries that differ and have answers', () => {
  const train = [entry('a'), entry('a', 'y'), entry('a', 'x', 'z')];
  assert.deepEqual(notesOn({ train, validation: [entry('b')], test: [] }), []);
});

test('copies are counted among the held out, and empty answers among all', () => {
  const train = [entry('a'), entry('b', ' \n'), entry('c'), entry('c')];
  const validation = [entry('a'), entry('a', 'y'), entry('c')];
  assert.deepEqual(notesOn({ train, validation, test: [entry('a'), entry('d', '')] }), [
    '2 of 3 validation texts are training texts too, so that the validation loss flatters; remove duplicates',
    '1 of 2 test texts are training texts too, so that the test loss flatters; remove duplicates',
    'the output of 2 of 9 entries is empty, which teaches no answer; remove them',
  ]);
});
