/** Tasks that the program makes up: the same for a seed, all different, with answers that can be worked out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordTasks } from '../../../src/data/instructions/word-tasks.js';

test('a seed gives the same tasks, and a smaller number the first of them', () => {
  const tasks = wordTasks(300, 1);
  assert.deepEqual(wordTasks(20, 1), tasks.slice(0, 20));
  assert.notDeepEqual(wordTasks(20, 2), tasks.slice(0, 20));
  assert.equal(new Set(tasks.map(({ instruction, input }) => `${instruction}\n${input}`)).size, 300);
  const withInput = tasks.filter(({ input }) => input !== '').length / tasks.length;
  assert.ok(withInput > 0.3 && withInput < 0.7);
});

test('the answers are right', () => {
  const numbers = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'];
  const checked = new Set<string>();
  for (const { instruction, input, output } of wordTasks(300, 0)) {
    const words = input.split(' ');
    if (instruction.includes('reverse')) assert.equal(output, words.toReversed().join(' '));
    else if (instruction.includes('alphabet')) assert.equal(output, words.toSorted().join(' '));
    else if (instruction.startsWith('Which')) {
      assert.equal(output, words[['first', 'second', 'third'].findIndex((place) => instruction.includes(place))]);
    } else if (instruction.startsWith('Join')) assert.equal(output, `the ${words[0]} and the ${words[1]}`);
    else if (instruction.startsWith('How many')) {
      assert.equal(output, numbers[instruction.split(': ')[1]!.split(' ').length - 1]);
    } else if (instruction.startsWith('Add')) {
      const [first, second] = [...instruction.matchAll(/(\w+) of/g)].map(([, word]) => numbers.indexOf(word!) + 1);
      assert.equal(output.split(' ')[0], numbers[first! + second! - 1]);
    } else if (instruction.includes('times')) {
      const [, word, times] = /word (\w+) (\w+) times/.exec(instruction)!;
      assert.equal(
        output,
        Array(numbers.indexOf(times!) + 1)
          .fill(word)
          .join(' '),
      );
    } else assert.match(instruction, /^Say the opposite of "(\w+)", then the word "(\w+)"\.$/);
    checked.add(instruction.split(' ')[0]!);
  }
  assert.ok(checked.size >= 6);
});
