import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeMachine, parseAvailable, parseInstructionSets } from '../../../src/engine/doctor/machine.js';

test('reads instruction sets of x86 and ARM', () => {
  const x86 = 'processor\t: 0\nflags\t\t: fpu sse2 fma avx avx2 avx512f avx512_vnni\nbugs\t\t: none\n';
  assert.deepEqual(parseInstructionSets(x86), ['avx', 'avx2', 'fma', 'avx512f', 'avx512_vnni']);
  assert.deepEqual(parseInstructionSets('Features\t: fp asimd crc32\n'), ['asimd']);
  assert.equal(parseInstructionSets(''), undefined);
});

test('reads the available memory', () => {
  assert.equal(parseAvailable('MemTotal:  16 kB\nMemFree:  2 kB\nMemAvailable:    8 kB\n'), 8192);
  assert.equal(parseAvailable(''), undefined);
});

test('describes this machine', async () => {
  const { cores, memory } = await describeMachine();
  assert.ok(cores >= 1);
  assert.ok(memory.available > 0 && memory.available <= memory.total);
});
