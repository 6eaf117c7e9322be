/** How the views of a pretraining follow from its settings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ImagePretraining, pretrainingSchema } from '../../../src/config/schema/pretraining.js';
import { trainingOptions, validationOptions } from '../../../src/experiment/pretrain/image-splits.js';
import { silentProgress } from '../../../src/shared/progress.js';

const samples = [{ file: 'a.png', label: 0 }];
const dataset = { splits: { train: samples, test: [], val: [{ file: 'b.png', label: 0 }] } } as never;
const preprocessing = { resize: 64, crop: 64 } as never;

function optionsOf(augmentation: object) {
  const config = pretrainingSchema.parse({
    ...{ name: 'x', seed: 3, data: { kind: 'image-folder', root: '/nowhere' }, output: '/nowhere' },
    anchors: [{ name: 'Ti', architecture: 'vit_mini_tiny' }],
    training: { epochs: 1, warmup_epochs: 0, learning_rate: 1e-3, batch_size: 7, augmentation },
  }) as ImagePretraining;
  const { onProgress: _, ...options } = trainingOptions(config, dataset, preprocessing, silentProgress);
  return options;
}

test('scale, flip and jitter of the file are those of the views', () => {
  assert.deepEqual(optionsOf({ crop_scale: [0.3, 0.9], flip: false, color_jitter: 0.2 }), {
    ...{ samples, preprocessing, batchSize: 7, shuffle: true, seed: 3, lastBatch: 'drop' },
    augmentation: {
      crop: { scale: [0.3, 0.9], ratio: [3 / 4, 4 / 3] },
      flip: false,
      jitter: { brightness: 0.2, contrast: 0.2, saturation: 0.2 },
    },
  });
  const { augmentation } = optionsOf({ flip: true, color_jitter: 0 });
  assert.ok(augmentation!.flip && !('jitter' in augmentation!));
});

test('anchors are validated on whole images, in their order', () => {
  const { onProgress: _, ...options } = validationOptions(dataset, preprocessing, silentProgress);
  assert.deepEqual(options, { samples: [{ file: 'b.png', label: 0 }], preprocessing, batchSize: 200 });
});
