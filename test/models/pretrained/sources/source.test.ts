import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { embeddedFile } from '../../../../src/models/pretrained/sources/embedded.js';
import { openWeights } from '../../../../src/models/pretrained/sources/source.js';
import { fixture, requestError, temporaryFolder } from '../fixtures.js';

const open = async (source: string) => {
  const weights = await openWeights(source, 'vit_mini_tiny');
  await weights.close();
  return weights.location;
};

test('opens files by their extension', async () => {
  for (const name of ['vit-timm.safetensors', 'vit-google.npz']) assert.equal(await open(fixture(name)), fixture(name));
});

test('chooses the weights of a folder', async (t) => {
  const folder = temporaryFolder(t);
  await assert.rejects(open(folder), requestError(/has no weight file/, /model\.safetensors/));
  writeFileSync(path.join(folder, 'pytorch_model.bin'), '');
  writeFileSync(path.join(folder, 'config.json'), '{}');
  await assert.rejects(open(folder), requestError(/pytorch_model\.bin .*Python pickle/, /weights_only=True/));
  copyFileSync(fixture('vit-google.npz'), path.join(folder, 'a.npz'));
  assert.equal(await open(folder), path.join(folder, 'a.npz'));
  copyFileSync(fixture('vit-timm.safetensors'), path.join(folder, 'b.safetensors'));
  await assert.rejects(open(folder), requestError(/several weight files: a\.npz, b\.safetensors/));
  copyFileSync(fixture('vit-timm.safetensors'), path.join(folder, 'model.safetensors'));
  assert.equal(await open(folder), path.join(folder, 'model.safetensors'));
});

test('refuses pickles with the command that converts them', async () => {
  for (const name of ['a.bin', 'a.pth', 'a.pt', 'a.ckpt']) {
    await assert.rejects(
      open(`/models/${name}`),
      requestError(/Python pickle/, /save_file\(.*'\/models\/a\.safetensors'\)/),
    );
  }
});

test('refuses other formats and missing files', async () => {
  await assert.rejects(open('/models/a.onnx'), requestError(/a\.onnx is not a weight file/, /hf-hub:OWNER\/NAME/));
  await assert.rejects(open('/nowhere/a.safetensors'), requestError(/\/nowhere\/a\.safetensors does not exist/));
});

test('finds embedded weights in the package', async (t) => {
  const root = temporaryFolder(t);
  const folder = path.join(root, 'src', 'models', 'embedded');
  await assert.rejects(
    embeddedFile('vit_mini_tiny', root),
    requestError(/no embedded weights for vit_mini_tiny/, /incomplete/),
  );
  mkdirSync(folder, { recursive: true });
  copyFileSync(fixture('vit-timm.safetensors'), path.join(folder, 'vit_mini_tiny.safetensors'));
  assert.equal(await embeddedFile('vit_mini_tiny', root), path.join(folder, 'vit_mini_tiny.safetensors'));
  await assert.rejects(embeddedFile('vit_base_patch16_224', root), requestError(/Embedded are vit_mini_tiny\./));
});
