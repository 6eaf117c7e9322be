/** Fresh weights: what timm's _init_vit_weights and _init_weights (convnext.py) give a new network. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { architectureNamed } from '../../src/models/architectures.js';
import { initialHead, initialWeights, stateDictOf } from '../../src/models/weights.js';
import { Random } from '../../src/shared/random.js';

/** trunc_normal_(std=0.02): cut off at two deviations, which leaves 0.8796 of the deviation (variance 0.7737). */
const std = 0.02;

function assertDrawn(data: Float32Array, name: string): void {
  const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(largest <= 2 * std * 1.000001, `${name}: ${largest}`);
  const deviation = Math.sqrt(data.reduce((sum, value) => sum + value ** 2, 0) / data.length);
  // Of n draws the deviation is known to about 0.6 / sqrt(n).
  assert.ok(Math.abs(deviation / (0.8796 * std) - 1) < 3 / Math.sqrt(data.length), `${name}: ${deviation}`);
}

test('a new head is drawn with deviation 0.02, its bias is 0', () => {
  const { weight, bias } = initialHead(192, 100, Random.of(0, 'head'));
  assert.deepEqual([weight.shape, bias.shape], [[192, 100], [100]]);
  assertDrawn(weight.data, 'head');
  assert.ok(bias.data.every((value) => value === 0));
});

for (const name of ['vit_mini_tiny', 'convnext_mini_tiny']) {
  test(`${name}: matrices and filters are drawn, norms begin as the identity, biases at 0`, () => {
    const architecture = architectureNamed(name);
    const tensors = stateDictOf(architecture, initialWeights(architecture, Random.of(0, 'weights')));
    const constants = new Map<string, Set<number>>();
    for (const [published, { shape, data }] of Object.entries(tensors)) {
      if (shape.length > 1) assertDrawn(data as Float32Array, published);
      else {
        const kind = `${/norm|stem\.1|downsample\.0/.test(published) ? 'norm ' : ''}${published.split('.').at(-1)}`;
        constants.set(kind, new Set([...(constants.get(kind) ?? []), ...data]));
      }
    }
    // Layer scale: ls_init_value=1e-6 of timm's ConvNeXt.
    const expected = { 'norm weight': 1, 'norm bias': 0, bias: 0, gamma: Math.fround(1e-6) };
    for (const [kind, values] of constants) assert.deepEqual([...values], [expected[kind as 'bias']], kind);
    assert.equal(constants.has('gamma'), name.startsWith('convnext'));
  });
}
