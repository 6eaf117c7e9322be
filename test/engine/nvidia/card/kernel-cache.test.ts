import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { KernelCache } from '../../../../src/engine/nvidia/card/kernel-cache.js';

const newFolder = () => mkdtemp(path.join(tmpdir(), 'kernels-'));
const codeOf = (text: string) => new Uint8Array(Buffer.concat([Buffer.from([0x7f]), Buffer.from(`ELF ${text}`)]));

/** A compiler that says what it was asked for. */
function compiler() {
  const asked: string[] = [];
  const compile = (text: string) => () => {
    asked.push(text);
    return codeOf(text);
  };
  return { asked, compile };
}

test('code is compiled once for a source and what else it depends on', async () => {
  const folder = await newFolder();
  const { asked, compile } = compiler();
  for (const parts of [
    ['sm_90', 'a'],
    ['sm_90', 'a'],
    ['sm_80', 'a'],
    ['sm_90', 'b'],
    ['sm_80', 'a'],
  ]) {
    const text = parts.join(' ');
    assert.deepEqual(new KernelCache(folder).of(parts, compile(text)), codeOf(text));
  }
  assert.deepEqual(asked, ['sm_90 a', 'sm_80 a', 'sm_90 b']);
});

test('what was not written whole is compiled anew', async () => {
  const folder = await newFolder();
  const { asked, compile } = compiler();
  const cache = new KernelCache(folder);
  cache.of(['a'], compile('a'));
  const [name] = (await readdir(folder)) as [string];
  const whole = await readFile(path.join(folder, name));
  for (const damaged of [whole.subarray(0, whole.length - 1), Buffer.alloc(0), Buffer.from('no code')]) {
    await writeFile(path.join(folder, name), damaged);
    assert.deepEqual(cache.of(['a'], compile('a')), codeOf('a'));
  }
  assert.equal(asked.length, 4);
});

test('where nothing can be written, nothing is kept and all is compiled', async () => {
  const file = path.join(await newFolder(), 'file');
  await writeFile(file, '');
  const { asked, compile } = compiler();
  const cache = new KernelCache(path.join(file, 'below'));
  cache.of(['a'], compile('a'));
  cache.of(['a'], compile('a'));
  assert.deepEqual(asked, ['a', 'a']);
});

test('what is no machine code is not kept', async () => {
  const folder = await newFolder();
  new KernelCache(folder).of(['a'], () => new Uint8Array(Buffer.from('.version 8.0')));
  assert.deepEqual(await readdir(folder), []);
});

test('of many, those unused for longest go', async () => {
  const folder = await newFolder();
  const { asked, compile } = compiler();
  const cache = new KernelCache(folder, 3);
  for (const text of ['a', 'b', 'c']) {
    cache.of([text], compile(text));
    for (const name of await readdir(folder)) {
      const file = path.join(folder, name);
      if ((await readFile(file)).subarray(32).toString().endsWith(text)) await utimes(file, asked.length, asked.length);
    }
  }
  cache.of(['a'], compile('a')); // used again
  cache.of(['d'], compile('d'));
  assert.equal((await readdir(folder)).length, 3);
  assert.deepEqual(asked, ['a', 'b', 'c', 'd']);
  cache.of(['a'], compile('a'));
  cache.of(['b'], compile('b'));
  assert.deepEqual(asked, ['a', 'b', 'c', 'd', 'b']);
});
