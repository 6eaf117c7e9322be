import assert from 'node:assert/strict';
import { test } from 'node:test';
import { esta } from '../../command-line.js';

test('bench generate: rates beside what the machine can do; prompts that do not fit are refused', async () => {
  const { status, stdout } = await esta([
    'bench',
    'generate',
    '--model',
    'llama_mini_small',
    '--tokens',
    '2',
    '--repeat',
    '1',
    '--json',
  ]);
  assert.equal(status, 0);
  const { model, weights, batch, prompt, tokens, tokens_per_second, read_gigabytes_per_second } = JSON.parse(stdout);
  assert.deepEqual([model, weights, batch, prompt, tokens], ['llama_mini_small', 'float32', 1, 64, 2]);
  assert.ok(tokens_per_second > 0 && read_gigabytes_per_second > 0);
  const refused = await esta(['bench', 'generate', '--prompt', '256']);
  assert.deepEqual([refused.status, refused.stdout], [2, '']);
  assert.match(refused.stderr, /exceed the 256 tokens/);
});
