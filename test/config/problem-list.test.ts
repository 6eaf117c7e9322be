/** Which value a problem is about: as the file has it, and whether an override decided it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overrideOf, pathAsWritten } from '../../src/config/problem-list.js';

const override = (...path: readonly PropertyKey[]) => ({ text: path.join('.'), path, value: 1 });

test('the last override of a value, of what holds it, or of what is inside it', () => {
  const [section, epochs, other] = [override('training'), override('training', 'epochs'), override('data')];
  assert.equal(overrideOf(['training', 'epochs'], [section, epochs, other]), epochs);
  assert.equal(overrideOf(['training', 'epochs'], [epochs, section, other]), section);
  assert.equal(overrideOf(['training'], [epochs, other]), epochs);
  assert.equal(overrideOf(['training', 'seed'], [epochs, other]), undefined);
  assert.equal(overrideOf([], [epochs, other]), undefined, 'the whole file was not decided by one');
});

test('a single data set has no place in a list, where the file has no list', () => {
  const single = { data: { kind: 'species' } };
  assert.deepEqual(pathAsWritten(['data', 0, 'root'], single), ['data', 'root']);
  assert.deepEqual(pathAsWritten(['data', 0], single), ['data']);
  for (const path of [['data'], ['data', 'root'], ['anchors', 0, 'name'], []]) {
    assert.deepEqual(pathAsWritten(path, single), path);
  }
  for (const value of [{ data: [{ kind: 'species' }] }, { name: 'x' }, null, 'text', 5]) {
    assert.deepEqual(pathAsWritten(['data', 0, 'root'], value), ['data', 0, 'root']);
  }
});
