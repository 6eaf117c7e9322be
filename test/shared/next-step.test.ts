import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandLine, estaCommand, wordsOf } from '../../src/shared/next-step.js';

test('the words of a command line are those that it was made of', () => {
  const words = ['esta', 'run', 'two words', "it's", "''", '$HOME', 'a;b', '', 'a\\b', 'data.root=./x', 'Café', 'a\nb'];
  assert.deepEqual(wordsOf(commandLine(words)), words);
  assert.equal(commandLine(words), estaCommand(...words.slice(1)));
  assert.deepEqual(wordsOf(''), []);
});
