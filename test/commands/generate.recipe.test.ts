import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeAdapter } from '../../src/models/peft/adapter.js';
import { Random } from '../../src/shared/random.js';
import { esta } from '../command-line.js';
import { temporaryFolder } from '../data/official/temporary-folder.js';
import { randomArray } from '../engine/tensors.js';
import { tinyLlama, writeTinyLlama } from '../models/llama/tiny-llama.js';

test('a text is continued: as it comes, and as JSON', async (t) => {
  const folder = await temporaryFolder(t);
  await writeTinyLlama(folder, tinyLlama());
  const command = ['generate', 'a stitch', '--checkpoint', folder, '--max-tokens', '6', '--engine', 'onnxruntime'];
  const shown = await esta(command);
  assert.deepEqual([shown.status, shown.stderr], [0, '']);
  const { status, stdout } = await esta([...command, '--json']);
  assert.equal(status, 0);
  const document = JSON.parse(stdout);
  assert.equal(shown.stdout.split('\n\n')[0], `a stitch${document.text}`, 'greedy: the same text again');
  assert.equal(document.params, tinyLlama().weights.blocks.length * 1952 + 2 * 420 * 16 + 16);
  assert.ok(document.tokens === 6 || document.stopped === 'end');

  const small = await esta([...command, '--weights', '8bit', '--json']);
  assert.deepEqual([small.status, JSON.parse(small.stdout).promptTokens], [0, document.promptTokens]);

  const drawn = await Promise.all(
    ['1', '1', '2'].map((seed) => esta([...command, '--temperature', '2', '--seed', seed, '--json'])),
  );
  const [one, again, other] = drawn.map((ended) => JSON.parse(ended.stdout).text);
  assert.equal(one, again, 'the same seed draws the same text');
  assert.notEqual(one, other);
});

test('an adapter is merged into the model', async (t) => {
  const folder = await temporaryFolder(t);
  await writeTinyLlama(folder, tinyLlama());
  const random = Random.of(0, 'adapter');
  const update = { down: randomArray(random, [16, 2]), up: randomArray(random, [2, 16]), scale: 2 };
  await writeAdapter(`${folder}/adapter`, new Map([['model.layers.1.self_attn.q_proj', update]]), folder);
  const command = ['generate', 'a stitch', '--checkpoint', folder, '--max-tokens', '12', '--engine', 'onnxruntime'];
  const [alone, adapted] = await Promise.all(
    [[], ['--adapter', `${folder}/adapter`]].map(async (flags) => esta([...command, ...flags, '--json'])),
  );
  assert.equal(adapted!.status, 0);
  assert.notEqual(JSON.parse(adapted!.stdout).text, JSON.parse(alone!.stdout).text);
});

test('a wrong request is named: exit status 2', async (t) => {
  const folder = await temporaryFolder(t);
  await writeTinyLlama(folder, tinyLlama());
  const cases: [string[], RegExp][] = [
    [
      ['generate', 'x', '--checkpoint', folder, '--max-tokens', '128'],
      /prompt of \d tokens and 128 new ones exceed the 128/,
    ],
    [['generate', 'x', '--checkpoint', `${folder}/none`], /does not exist/],
    [['generate', 'x', '--checkpoint', folder, '--top-p', '2'], /--top-p: expected a number from 0 to 1/],
    [['generate', 'x', '--checkpoint', folder, '--adapter', folder], /holds no adapter/],
    [['generate', 'x'], /checkpoint/],
  ];
  for (const [args, expected] of cases) {
    const { status, stdout, stderr } = await esta(args);
    assert.match(stderr, expected);
    assert.deepEqual([status, stdout], [2, ''], args.join(' '));
  }
});
