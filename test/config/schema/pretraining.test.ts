/** Rules of a pretraining file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pretrainingSchema } from '../../../src/config/schema/pretraining.js';

const smallest = {
  name: 'family',
  data: { kind: 'image-folder', root: 'images' },
  anchors: [{ name: 'Ti', architecture: 'vit_mini_tiny' }],
  output: 'anchors',
};

/** Problems as `path: message`; [] where the file is right. */
function problemsOf(changes: object): string[] {
  const { error } = pretrainingSchema.safeParse({ ...smallest, ...changes });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('the defaults are those of DeiT, and where that does not fit small images our own', () => {
  const { training, seed } = pretrainingSchema.parse(smallest);
  assert.deepEqual(training, {
    epochs: 60,
    warmup_epochs: 5,
    batch_size: 128,
    learning_rate: 1e-3,
    weight_decay: 0.05,
    label_smoothing: 0.1,
    mixup: 0.2,
    patch_dropout: 0,
    augmentation: { crop_scale: [0.35, 1], flip: true, color_jitter: 0.3 },
  });
  assert.equal(seed, 0);
});

test('the warm-up is part of the training, of the family and of each anchor', () => {
  assert.deepEqual(problemsOf({ training: { epochs: 3, warmup_epochs: 3 } }), []);
  assert.deepEqual(problemsOf({ training: { epochs: 3, warmup_epochs: 4 } }), [
    'training.warmup_epochs: expected at most training.epochs (3), received 4',
  ]);
  const short = [{ ...smallest.anchors[0], epochs: 4 }];
  assert.deepEqual(problemsOf({ anchors: short }), [
    'anchors: expected no fewer epochs than training.warmup_epochs (5), received 4 for Ti',
  ]);
});

test('no two anchors of a family would be written into one file', () => {
  const [tiny] = smallest.anchors;
  assert.deepEqual(problemsOf({ anchors: [tiny, { ...tiny, name: 'again' }] }), [
    'anchors: architecture vit_mini_tiny is listed twice; each must be there once',
  ]);
  assert.deepEqual(problemsOf({ anchors: [tiny, { ...tiny, architecture: 'vit_mini_small' }] }), [
    'anchors: anchor Ti is listed twice; each must be there once',
  ]);
});

test('shares of the area of a crop are up to 1, the least first', () => {
  const scale = (...crop_scale: readonly number[]) => problemsOf({ training: { augmentation: { crop_scale } } });
  assert.deepEqual([...scale(0.5, 0.5), ...scale(0.2, 0.9)], []);
  assert.deepEqual(scale(0.6, 0.5), [
    'training.augmentation.crop_scale: expected the least share first, received [0.6, 0.5]',
  ]);
  assert.match(scale(0.6, 1.5).join(), /^training\.augmentation\.crop_scale\.1: [^,]*$/);
});

test('what learns together are images, all for the same epochs', () => {
  const together = { together: {} };
  const { training } = pretrainingSchema.parse({ ...smallest, training: together });
  assert.deepEqual(training.together, { steps: 1, distillation: 0, clip_norm: 1 });
  const own = [{ ...smallest.anchors[0], epochs: 7 }];
  assert.deepEqual(problemsOf({ anchors: own, training: together }), [
    'anchors: expected no epochs of an anchor where all learn together, received 7 for Ti',
  ]);
  assert.deepEqual(problemsOf({ data: { kind: 'plain-text', root: 'texts' }, training: together }), [
    'training.together: expected none for text',
  ]);
  assert.deepEqual(problemsOf({ training: { together: { distillation: 0.3 } } }), [
    'training.together.distillation: expected 0 for one anchor: none is larger to teach it',
  ]);
});

test('weights to go on from are those of networks that read images', () => {
  const anchors = [{ ...smallest.anchors[0], checkpoint: 'embedded' }];
  assert.deepEqual(problemsOf({ anchors }), []);
  assert.deepEqual(problemsOf({ anchors, data: { kind: 'plain-text', root: 'texts' } }), [
    'anchors: expected no checkpoint of an anchor for text, received embedded for Ti',
  ]);
});

test('a faulty field is one problem: rules that read it are skipped', () => {
  for (const changes of [{ training: null }, { anchors: 3 }, { training: { augmentation: { crop_scale: null } } }]) {
    assert.equal(problemsOf(changes).length, 1, JSON.stringify(changes));
  }
});
