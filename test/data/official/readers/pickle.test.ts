/** The CIFAR-100 pickle reader, on output of Python 2.7's cPickle (test/fixtures/official/make-pickle.py). */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { pickledDictionary } from '../../../../data-scripts/miniature/pickle-writer.js';
import { type PickleDictionary, parsePickle } from '../../../../src/data/official/readers/pickle.js';
import { fixture } from '../../../fixture.js';

const python = JSON.parse(await readFile(fixture('official/pickle.json'), 'utf8')) as Record<string, string>;
const train = Buffer.from(python['train']!, 'base64');

function dictionary(bytes: Uint8Array): PickleDictionary {
  const value = parsePickle(bytes, 'train');
  assert.ok(value instanceof Map);
  return value;
}

test('reads what Python 2.7 wrote', () => {
  const value = dictionary(train);
  assert.deepEqual(value.get('fine_labels'), [19, 29]);
  assert.deepEqual(value.get('coarse_labels'), [11, 15]);
  assert.deepEqual(value.get('data'), {
    shape: [2, 300],
    data: train.subarray(train.indexOf(0x54) + 5).subarray(0, 600),
  });
  const [first] = value.get('filenames') as Uint8Array[];
  assert.equal(Buffer.from(first!).toString(), 'bos_taurus_s_000507.png');
});

test('refuses to call functions, and says that nothing was run', () => {
  const attack = Buffer.from(python['attack']!, 'base64');
  assert.throws(() => parsePickle(attack, 'train'), /the Python object posix\.getcwd.*nothing of it was run/);
  const system = Buffer.from("cos\nsystem\n(S'true'\ntR.", 'latin1');
  assert.throws(() => parsePickle(system, 'train'), /the Python object os\.system/);
});

test('refuses unknown opcodes, newer protocols and other arrays', () => {
  assert.throws(() => parsePickle(Buffer.from('\x80\x02\x92.', 'latin1'), 'train'), /opcode 0x92 at byte 2/);
  assert.throws(() => parsePickle(Buffer.from('\x80\x04}.', 'latin1'), 'train'), /protocol above 2/);
  const doubles = Buffer.from(train.toString('latin1').replace('u1', 'f8'), 'latin1');
  assert.throws(() => parsePickle(doubles, 'train'), /not row-major uint8/);
});

test('refuses a list that contains itself', () => {
  assert.throws(() => parsePickle(Buffer.from(']q\x00h\x00a.', 'latin1'), 'train'), /nested more than/);
});

test('refuses lists that name lists that name lists, which a few bytes make billions of values', () => {
  const levels = [1, 2, 3].map(
    (level) => `]q${String.fromCharCode(level)}(${`h${String.fromCharCode(level - 1)}`.repeat(999)}e`,
  );
  const bomb = Buffer.from(`]q\x00${levels.join('')}.`, 'latin1');
  assert.throws(() => parsePickle(bomb, 'train'), /more than 1000000 values/);
});

test('every truncation is a clean error', () => {
  for (let length = 0; length < train.length; length++) {
    assert.throws(() => parsePickle(train.subarray(0, length), 'train'), { name: 'RequestError' }, `cut at ${length}`);
  }
});

test('miniatures hold the same opcodes', () => {
  const data = Uint8Array.from({ length: 600 }, (_, index) => index % 256);
  const value = dictionary(pickledDictionary({ fine_labels: [19, 29], data: { array: data, shape: [2, 300] } }));
  assert.deepEqual(value.get('fine_labels'), [19, 29]);
  assert.deepEqual(value.get('data'), { shape: [2, 300], data: Buffer.from(data) });
});
