/** Files as timm and Hugging Face publish them: timm/deit_small_patch16_224.fb_in1k, facebook/deit-base and convnext-tiny. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Preprocessing } from '../../../src/data/images/preprocessing.js';
import { configuredPreprocessing } from '../../../src/models/pretrained/preprocessing.js';
import { requestError, temporaryFolder } from './fixtures.js';

const known: Preprocessing = {
  resize: { size: 248, keepAspect: true },
  crop: 224,
  interpolation: 'bicubic',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};
const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

function read(t: TestContext, files: Readonly<Record<string, object>>, own = known) {
  const folder = temporaryFolder(t);
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), JSON.stringify(content));
  return configuredPreprocessing(folder, own);
}

test("timm's config.json, of today and of the first files", async (t) => {
  const fields = {
    ...imagenet,
    input_size: [3, 224, 224],
    crop_pct: 0.9,
    crop_mode: 'center',
    interpolation: 'bicubic',
  };
  const expected = { resize: { size: 248, keepAspect: true }, crop: 224, interpolation: 'bicubic', ...imagenet };
  const today = { architecture: 'deit_small_patch16_224', num_classes: 1000, pretrained_cfg: fields };
  assert.deepEqual(await read(t, { 'config.json': today }), expected);
  assert.deepEqual(await read(t, { 'config.json': { architecture: 'deit_small_patch16_224', ...fields } }), expected);
  const squashed = { ...imagenet, crop_mode: 'squash', interpolation: 'bilinear' };
  assert.deepEqual(await read(t, { 'config.json': { pretrained_cfg: squashed } }), {
    ...expected,
    resize: { size: 256, keepAspect: false },
    interpolation: 'bilinear',
  });
});

test("Hugging Face's preprocessor_config.json beside a config.json that says nothing of images", async (t) => {
  const normalised = { do_normalize: true, image_mean: imagenet.mean, image_std: imagenet.std };
  const model = { 'config.json': { model_type: 'vit', hidden_size: 192 } };
  const vit = { ...normalised, resample: 2, size: { height: 224, width: 224 } };
  assert.deepEqual(await read(t, { ...model, 'preprocessor_config.json': vit }), {
    resize: { size: 224, keepAspect: false },
    crop: 224,
    interpolation: 'bilinear',
    ...imagenet,
  });
  const deit = { ...normalised, resample: 3, size: 256, do_center_crop: true, crop_size: 224 };
  assert.deepEqual((await read(t, { ...model, 'preprocessor_config.json': deit }))!.resize, {
    size: 256,
    keepAspect: false,
  });
  const convNeXt = { ...normalised, resample: 3, size: { shortest_edge: 224 }, crop_pct: 0.875 };
  assert.deepEqual((await read(t, { ...model, 'preprocessor_config.json': convNeXt }))!.resize, {
    size: 256,
    keepAspect: true,
  });
  // From 384 on the same processor squashes the whole image.
  const large = { ...convNeXt, size: { shortest_edge: 384 } };
  assert.deepEqual((await read(t, { ...model, 'preprocessor_config.json': large }))!.resize, {
    size: 224,
    keepAspect: false,
  });
  const older = { ...convNeXt, size: 384 };
  assert.equal((await read(t, { ...model, 'preprocessor_config.json': older }))!.resize!.keepAspect, false);
});

test('a kernel that is named counts; one that is not among those of here is that of the network', async (t) => {
  const bilinear: Preprocessing = { ...known, interpolation: 'bilinear' };
  const kernelOf = async (file: string, fields: object, own: Preprocessing) =>
    (await read(t, { [file]: { ...fields } }, own))!.interpolation;
  for (const [interpolation, expected] of [
    ['bicubic', 'bicubic'],
    ['lanczos3', 'bilinear'],
    [null, 'bilinear'],
  ] as const) {
    assert.equal(await kernelOf('config.json', { ...imagenet, interpolation }, bilinear), expected);
  }
  // Pillow's numbers: 2 is bilinear, 3 bicubic, 1 Lanczos.
  const fields = { image_mean: imagenet.mean, image_std: imagenet.std };
  for (const [resample, expected] of [
    [3, 'bicubic'],
    [1, 'bilinear'],
    [undefined, 'bilinear'],
  ] as const) {
    assert.equal(await kernelOf('preprocessor_config.json', { ...fields, resample }, bilinear), expected);
  }
});

test("Hugging Face's sizes of edges, of both sides, and of crops that are not made", async (t) => {
  const fields = { image_mean: imagenet.mean, image_std: imagenet.std };
  const resizeOf = async (sizes: object) =>
    (await read(t, { 'preprocessor_config.json': { ...fields, ...sizes } }))!.resize;
  const square = { height: 256, width: 256 };
  const cropped = { do_center_crop: true, crop_size: { height: 224, width: 224 } };
  assert.deepEqual(await resizeOf({ size: square, ...cropped }), { size: 256, keepAspect: false });
  assert.deepEqual(await resizeOf({ size: { shortest_edge: 256 }, ...cropped }), { size: 256, keepAspect: true });
  // 224 of the network for 384 of the file: 224 x 438 / 384 = 255.5.
  const large = { size: { shortest_edge: 438 }, do_center_crop: true, crop_size: 384 };
  assert.deepEqual(await resizeOf(large), { size: 256, keepAspect: true });
  const whole = { size: { shortest_edge: 256 }, do_center_crop: false, crop_size: 224 };
  assert.deepEqual(await resizeOf(whole), { size: 224, keepAspect: false });
});

test('nothing is said where no file says it', async (t) => {
  assert.equal(await read(t, {}), undefined);
  assert.equal(await read(t, { 'config.json': { model_type: 'vit' } }), undefined);
  for (const other of [['a'], { pretrained_cfg: 'in21k' }, { pretrained_cfg: null }]) {
    assert.equal(await read(t, { 'config.json': other }), undefined);
  }
});

test('values of another kind are refused with their place', async (t) => {
  const two = { mean: [0.5, 0.5], std: [0.5, 0.5, 0.5] };
  await assert.rejects(read(t, { 'config.json': { pretrained_cfg: two } }), requestError(/config\.json: mean/));
  const bytes = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] };
  await assert.rejects(read(t, { 'config.json': bytes }), requestError(/config\.json: mean\.0: .*divide it by 255/));
  const flat = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0, 0.5] };
  await assert.rejects(
    read(t, { 'preprocessor_config.json': flat }),
    requestError(/preprocessor_config\.json: image_std\.1/),
  );
});
