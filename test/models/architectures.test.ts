import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageInputOf, numFeatures, stagesOf } from '../../src/models/architecture.js';
import { architectureNamed, architectureNames } from '../../src/models/architectures.js';
import { RequestError } from '../../src/shared/errors.js';

test('every known name is an architecture', () => {
  assert.ok(architectureNames.includes('vit_tiny_patch16_224') && architectureNames.includes('convnext_base'));
  for (const name of architectureNames) assert.equal(architectureNamed(name).name, name);
});

test('a vision transformer is one stage, a ConvNeXt has four', () => {
  assert.deepEqual(stagesOf(architectureNamed('vit_small_patch16_224')), [{ depth: 12, width: 384 }]);
  const small = architectureNamed('convnext_small');
  assert.deepEqual(
    stagesOf(small).map(({ depth, width }) => [depth, width]),
    [
      [3, 96],
      [3, 192],
      [27, 384],
      [3, 768],
    ],
  );
  assert.equal(numFeatures(small), 768);
  assert.deepEqual(
    [0, 3, 6, 33].map((block) => small.blocks[block]!.positions),
    [56 ** 2, 28 ** 2, 14 ** 2, 7 ** 2],
  );
  const entered = small.blocks.flatMap(({ entry }, block) => (entry ? [block] : []));
  assert.deepEqual(entered, [3, 6, 33]);
});

// The values of timm's default_cfg: augreg vision transformers and ConvNeXts differ in all of them.
test('each family has the preprocessing it was pretrained with', () => {
  const half = [0.5, 0.5, 0.5];
  assert.deepEqual(imageInputOf(architectureNamed('vit_base_patch16_224')).preprocessing, {
    resize: { size: 248, keepAspect: true },
    crop: 224,
    interpolation: 'bicubic',
    mean: half,
    std: half,
  });
  assert.deepEqual(imageInputOf(architectureNamed('convnext_base')).preprocessing, {
    resize: { size: 256, keepAspect: true },
    crop: 224,
    interpolation: 'bicubic',
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  });
});

test('the embedded anchors see whole images of their own size: vision transformers without a crop, bilinear', () => {
  assert.deepEqual(imageInputOf(architectureNamed('vit_mini_base')).preprocessing, {
    resize: { size: 64, keepAspect: false },
    crop: 64,
    interpolation: 'bilinear',
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  });
  // floor(64 / 0.875) = 73, as timm evaluates a ConvNeXt.
  const { resize, crop } = imageInputOf(architectureNamed('convnext_mini_base')).preprocessing;
  assert.deepEqual([resize, crop], [{ size: 73, keepAspect: true }, 64]);
});

test('other sizes of images must divide into patches', () => {
  assert.equal(architectureNamed('convnext_tiny', 96).blocks.at(-1)!.positions, 9);
  assert.equal(architectureNamed('vit_tiny_patch16_224', 32).blocks[0]!.positions, 5);
  for (const [name, size] of [
    ['convnext_tiny', 100],
    ['vit_tiny_patch16_224', 100],
  ] as const) {
    assert.throws(
      () => architectureNamed(name, size),
      (error) => error instanceof RequestError && /multiple of the patch size.*received 100/.test(error.message),
    );
  }
});

test('timm names, with tags and old suffixes, are found', () => {
  for (const name of ['convnext_tiny', 'convnext_tiny.fb_in22k', 'convnext_tiny_in22k']) {
    assert.equal(architectureNamed(name).name, 'convnext_tiny');
  }
});

test('an unknown name is refused with the nearest of all families', () => {
  for (const [name, near] of [
    ['convnext_smal', 'convnext_small'],
    ['vit_tiny_patch16_22', 'vit_tiny_patch16_224'],
    ['convnex_tiny', 'convnext_tiny'],
  ]) {
    assert.throws(
      () => architectureNamed(name!),
      (error) =>
        error instanceof RequestError &&
        error.message.includes(`did you mean ${near}?`) &&
        architectureNames.every((known) => error.hint?.includes(known)),
    );
  }
});
