/** Patch dropout that no step could be made with is refused before images are read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPatches } from '../../../src/experiment/pretrain/architectures.js';
import { architectureNamed } from '../../../src/models/architectures.js';
import { RequestError } from '../../../src/shared/errors.js';

const mini = architectureNamed('vit_mini_tiny'); // 64 patches
const other = architectureNamed('vit_tiny_patch16_224', 64); // 16 patches

function check(rate: number, architectures: readonly (typeof mini)[], together = false): void {
  const training = { patch_dropout: rate, ...(together && { together: {} }) };
  checkPatches({ training } as unknown as Parameters<typeof checkPatches>[0], architectures);
}

test('some patches must be left of each network', () => {
  check(0.99, [mini]); // one of 64
  check(0.96, [other]); // one of 16
  assert.throws(
    () => check(0.98, [mini, other]),
    (error) =>
      error instanceof RequestError &&
      /some of the 16 patches of vit_tiny_patch16_224, received 0\.98/.test(error.message),
  );
});

test('anchors that learn together see the same patches', () => {
  check(0.5, [mini, other]);
  check(0, [mini, other], true);
  check(0.5, [mini, architectureNamed('vit_mini_base')], true);
  assert.throws(
    () => check(0.5, [mini, other], true),
    (error) =>
      error instanceof RequestError &&
      /received 0\.5 \(vit_mini_tiny: 64, vit_tiny_patch16_224: 16\)/.test(error.message),
  );
});

test('a ConvNeXt needs the whole image', () => {
  check(0, [architectureNamed('convnext_mini_tiny')]);
  assert.throws(() => check(0.5, [architectureNamed('convnext_mini_tiny')]), /expected 0 for convnext_mini_tiny/);
});
