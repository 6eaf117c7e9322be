import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convNeXtVariantNamed } from '../../../src/models/convnext/variants.js';
import { RequestError } from '../../../src/shared/errors.js';

test('timm names, with tags and old suffixes, are found', () => {
  for (const name of ['convnext_tiny', 'convnext_tiny.fb_in22k', 'convnext_tiny_in22k']) {
    assert.equal(convNeXtVariantNamed(name).name, 'convnext_tiny');
  }
});

test('an unknown name is refused with the nearest', () => {
  const near = (error: unknown) => error instanceof RequestError && /did you mean convnext_small/.test(error.message);
  assert.throws(() => convNeXtVariantNamed('convnext_smal'), near);
});
