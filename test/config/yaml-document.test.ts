/** Texts that would take all memory or all day are refused at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblems } from '../../src/config/problem-list.js';
import { formatYaml, parseYaml } from '../../src/config/yaml-document.js';
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

test('an alias inside of what it stands for is refused', () => {
  for (const text of ['a: &a [1, *a]', '&a {b: *a}']) {
    assert.throws(() => parseYaml(text, 'a.yaml'), refused(/^a\.yaml is not valid YAML\n {2}an alias stands inside/));
  }
});

test('a text that is no configuration is refused by its length', () => {
  const keys = Array.from({ length: 200_000 }, (_, index) => `key${index}: 1`).join('\n');
  assert.throws(() => parseYaml(keys, 'keys.yaml'), refused(/^keys\.yaml has \d+ characters; .* at most 262144/));
  assert.equal(parseYaml('#'.repeat(262144), 'longest.yaml').value, null);
});

test('a problem of YAML is told in one line', () => {
  assert.throws(() => parseYaml('a: 1\na: 2', 'a.yaml'), refused(/^a\.yaml is not valid YAML\n {2}line 2: [^\n]*$/));
  const second = refused(/^a\.yaml is not valid YAML\n {2}line 2: a second document \(---\); a file has one$/);
  assert.throws(() => parseYaml('a: 1\n---\na: 2', 'a.yaml'), second);
});

test('the line of a value, or of the nearest that holds it', () => {
  const { lineOf } = parseYaml('a:\n  b: 5\nlist:\n  - x\n  - c: 1\n', 'a.yaml');
  const lines = [[], ['a'], ['a', 'b'], ['a', 'b', 'deeper'], ['a', 'none'], ['list', 1], ['list', 7, 'x']];
  assert.deepEqual(lines.map(lineOf), [1, 1, 2, 2, 1, 5, 3]);
});

test('long texts stay on a line of up to 120 characters', () => {
  const words = Array(19).fill('words').join(' ');
  assert.equal(formatYaml({ claim: words, seeds: [0, 1] }), `claim: ${words}\nseeds:\n  - 0\n  - 1\n`);
});

test('of many problems the first fifty are told, and how many more there are', () => {
  const text = Array.from({ length: 60 }, (_, index) => `key${index}: 1`).join('\n');
  const problems = Array.from({ length: 60 }, (_, index) => ({ path: [`key${index}`], message: 'unknown key' }));
  const lines = formatProblems('keys.yaml', problems, parseYaml(text, 'keys.yaml'), []).split('\n');
  assert.equal(lines[0], 'keys.yaml has 60 problems');
  assert.equal(lines[50], '  line 50: key49: unknown key');
  assert.deepEqual(lines.slice(51), ['  and 10 more']);
  assert.equal(
    formatProblems('keys.yaml', problems.slice(0, 50), parseYaml(text, 'keys.yaml'), []).split('\n').length,
    51,
  );
});
