/** Texts that would take all memory or all day are refused at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblems } from '../../src/config/problem-list.js';
import { parseYaml } from '../../src/config/yaml-document.js';
import { RequestError } from '../../src/shared/errors.js';

function refused(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof RequestError && pattern.test(error.message);
}

test('aliases that multiply are refused in words', () => {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const nine = Array(9).fill(`*a${level}`).join(', ');
    return `a${level + 1}: &a${level + 1} [${nine}]`;
  });
  const bomb = ['a0: &a0 [x, x]', ...levels].join('\n');
  assert.throws(() => parseYaml(bomb, 'bomb.yaml'), refused(/^bomb\.yaml is not valid YAML\n.*alias/));
  assert.deepEqual(parseYaml('a: &a [1]\nb: *a', 'a.yaml').value, { a: [1], b: [1] });
});

test('a text that is no configuration is refused by its length', () => {
  const keys = Array.from({ length: 200_000 }, (_, index) => `key${index}: 1`).join('\n');
  assert.throws(() => parseYaml(keys, 'keys.yaml'), refused(/^keys\.yaml has \d+ characters; .* at most 262144/));
});

test('of many problems the first fifty are told, and how many more there are', () => {
  const text = Array.from({ length: 60 }, (_, index) => `key${index}: 1`).join('\n');
  const problems = Array.from({ length: 60 }, (_, index) => ({ path: [`key${index}`], message: 'unknown key' }));
  const lines = formatProblems('keys.yaml', problems, parseYaml(text, 'keys.yaml'), []).split('\n');
  assert.equal(lines[0], 'keys.yaml has 60 problems');
  assert.equal(lines[50], '  line 50: key49: unknown key');
  assert.deepEqual(lines.slice(51), ['  and 10 more']);
});
