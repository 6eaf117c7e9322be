import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe } from '../../../src/experiment/deployed/description.js';
import type { StitchNetwork } from '../../../src/experiment/deployed/trained-trial.js';

const described = (...checkpoints: readonly string[]) => {
  const anchors = checkpoints.map((checkpoint) => ({ name: 'a', architecture: 'b', checkpoint }));
  const facts = { classes: ['x'], preprocessing: { crop: 64 }, trial: 't', result: { id: 4 } };
  return describe({ ...facts, experiment: { anchors }, more: 1 } as unknown as StitchNetwork);
};

test('a file says what it is of; its licence is that of the weights that were adapted', () => {
  assert.deepEqual(described('embedded', 'embedded'), {
    ...{ classes: ['x'], preprocessing: { crop: 64 }, trial: 't', stitch: { id: 4 }, licence: 'Apache-2.0' },
  });
  const { licence } = described('embedded', 'hf-hub:timm/x', 's.safetensors', 'hf-hub:timm/x');
  assert.equal(licence, 'as the weights that were adapted: hf-hub:timm/x, s.safetensors');
});
