/** What cannot be said of text together with the rest of an experiment, and the defaults of alpaca-lora. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { experimentSchema } from '../../../src/config/schema/experiment.js';

const base = {
  name: 'text',
  anchors: [
    { name: 'S', architecture: 'llama_mini_small' },
    { name: 'B', architecture: 'llama_mini_base' },
  ],
  data: { kind: 'word-tasks' },
  adaptation: { ranks: [8, 8] },
};

function problemsOf(changes: object): string[] {
  const { error } = experimentSchema.safeParse({ ...base, ...changes });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('text has the defaults of alpaca-lora without dropout, and 8-bit weights; images have no such section', () => {
  const { text, data } = experimentSchema.parse(base);
  assert.deepEqual(text, {
    cutoff: 256,
    train_on_inputs: true,
    group_by_length: false,
    length_multiple: 8,
    micro_batch_size: 4,
    targets: ['q_proj', 'v_proj'],
    alpha: 16,
    clip_norm: 1,
    dropout: 0,
    decay: 'linear',
    weights: '8bit',
  });
  assert.equal(data[0]!.name, 'word-tasks');
  const images = experimentSchema.parse({ ...base, data: { kind: 'species' } });
  assert.ok(!('text' in images));
});

test('what only one of the two has is refused beside the other', () => {
  assert.deepEqual(problemsOf({ data: { kind: 'species' }, text: {} }), [
    'text: expected only beside data of the kinds instructions and word-tasks, received data of the kind species',
  ]);
  assert.deepEqual(problemsOf({ data: [{ kind: 'species' }, { kind: 'word-tasks' }] }), [
    'data: expected texts or images, received both: species has images',
  ]);
  assert.match(problemsOf({ sampling: { stitches_per_step: 2 } }).join(), /^sampling\.stitches_per_step: expected 1/);
  assert.deepEqual(problemsOf({ preprocessing: { flip: false } }), [
    'preprocessing: expected nothing for text: it says how images are prepared',
  ]);
  assert.deepEqual(problemsOf({ preprocessing: {} }), []);
  assert.deepEqual(problemsOf({ training: { patch_dropout: 0.5 } }), [
    'training.patch_dropout: expected 0 for text, which has no patches, received 0.5',
  ]);
  assert.match(
    problemsOf({ training: { final_on: 'train+validation' } }).join(),
    /^training\.final_on: expected train/,
  );
  assert.match(problemsOf({ evaluation: { gradient_angles: {} } }).join(), /^evaluation\.gradient_angles: expected/);
  assert.match(
    problemsOf({ evaluation: { leave_out_beaten: true } }).join(),
    /^evaluation\.leave_out_beaten: expected false/,
  );
  assert.match(problemsOf({ methods: ['esta', 'sn-net'] }).join(), /^text\.weights: expected float32 for sn-net/);
  assert.deepEqual(problemsOf({ methods: ['sn-net'], text: { weights: 'float32' } }), []);
  assert.deepEqual(problemsOf({ training: { batch_size: 6 } }), [
    'text.micro_batch_size: expected a divisor of training.batch_size (6), received 4',
  ]);
});
