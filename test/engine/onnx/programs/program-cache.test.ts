import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProgramCache } from '../../../../src/engine/onnx/programs/program-cache.js';

/** Programs that note when they are released. */
function programs() {
  const released: string[] = [];
  const made: string[] = [];
  const program =
    (name: string, constants: number, held: readonly unknown[] = []) =>
    async () => {
      made.push(name);
      const release = async () => void released.push(name);
      return { name, size: { constants, working: constants }, held: new Set(held), release };
    };
  return { released, made, program };
}

test('the programs unused for longest go when there are too many', async () => {
  const { released, made, program } = programs();
  const cache = new ProgramCache(2);
  for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) await cache.get(name, program(name, 1));
  assert.deepEqual(
    [made, released],
    [
      ['a', 'b', 'c', 'b'],
      ['b', 'c'],
    ],
  );
});

test('the programs unused for longest go when they take too much memory, never the one in use', async () => {
  const { released, program } = programs();
  const cache = new ProgramCache<Awaited<ReturnType<ReturnType<typeof program>>>>(10, 20);
  for (const name of ['a', 'b', 'c']) await cache.get(name, program(name, 3)); // 6 bytes each
  assert.deepEqual([released, cache.memory()], [[], { programs: 3, constants: 9 }]);
  await cache.get('d', program('d', 6));
  assert.deepEqual(released, ['a', 'b']);
  assert.equal((await cache.get('e', program('e', 100))).name, 'e');
  assert.deepEqual([released, cache.memory()], [['a', 'b', 'c', 'd'], { programs: 1, constants: 100 }]);
  await cache.dispose();
  assert.deepEqual(released.at(-1), 'e');
});

test('programs that compute in one memory take as much of it as the largest', async () => {
  const { released, program } = programs();
  const cache = new ProgramCache(10, 20, true);
  for (const name of ['a', 'b', 'c', 'd']) await cache.get(name, program(name, 4)); // 16 bytes held, 4 shared
  assert.deepEqual(released, []);
  await cache.get('e', program('e', 1));
  assert.deepEqual(released, ['a']);
});

test('programs that hold a value go with it; what failed to compile is compiled again', async () => {
  const { released, program } = programs();
  const cache = new ProgramCache(10);
  const [value, other] = [{}, {}];
  await cache.get('a', program('a', 1, [value, other]));
  await cache.get('b', program('b', 1, [other]));
  cache.dropHolders(value);
  await Promise.resolve();
  assert.deepEqual([released, cache.memory().programs], [['a'], 1]);
  await assert.rejects(
    cache.get('c', () => Promise.reject(new Error('no'))),
    /no/,
  );
  await cache.get('c', program('c', 1));
  assert.equal(cache.memory().programs, 2);
});
