/** Shapes of language models, by name or by their folder, and the stitches between them. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { experimentSchema, type TextExperiment } from '../../../src/config/schema/experiment.js';
import { languageArchitectures, languageSpace } from '../../../src/experiment/text/language-space.js';
import { tinyJson } from '../../models/llama/tiny-llama.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';

const experiment = (
  anchors: readonly object[],
  more: { readonly text?: object; readonly [key: string]: unknown } = {},
) =>
  experimentSchema.parse({
    name: 'x',
    anchors,
    data: { kind: 'word-tasks' },
    adaptation: { ranks: anchors.map(() => 4) },
    ...more,
    text: { cutoff: 64, ...more.text },
  }) as TextExperiment;

const mini = ['small', 'base'].map((size) => ({ name: size, architecture: `llama_mini_${size}` }));

test('a folder says what it holds; two of one depth are stitched by the sliding window', (t) => {
  const folder = temporaryFolder(t);
  const anchors = ['a', 'b'].map((name, index) => {
    mkdirSync(path.join(folder, name));
    const json = { ...tinyJson, num_hidden_layers: 3, hidden_size: 16 * (index + 1) };
    writeFileSync(path.join(folder, name, 'config.json'), JSON.stringify(json));
    return { name, architecture: 'llama', checkpoint: path.join(folder, name) };
  });
  const of = (stitching: object) => {
    const { architectures, space } = languageSpace(experiment(anchors, { stitching }));
    assert.deepEqual(
      architectures.map(({ name, variant: { width, depth } }) => [name, width, depth]),
      [
        ['llama (a)', 16, 3],
        ['llama (b)', 32, 3],
      ],
    );
    return space.stitches.slice(2).map(({ path: [front, end] }) => [front!.blocks[1], end!.blocks[0]]);
  };
  // SN-Net's window of one block: from behind block n of the first into block n of the second.
  assert.deepEqual(of({ kernel: 1, stride: 1 }), [
    [1, 0],
    [2, 1],
    [3, 2],
  ]);
  assert.ok(of({ kernel: 2, stride: 1 }).length > 3);
});

test('depths that differ are paired by the nearest rule, whatever the window', () => {
  const pairs = (kernel: number) =>
    languageSpace(experiment(mini, { stitching: { kernel, stride: 1 } }))
      .space.stitches.slice(2)
      .map((s) => s.path);
  assert.deepEqual(pairs(1), pairs(3));
  // 4 blocks of the small one for 6 of the base one: each later block of the base one has its front.
  assert.equal(pairs(1).length, 5);
});

test('the factor of low-rank updates is alpha over the rank, 1 where there is none', () => {
  const scales = (ranks: readonly number[]) =>
    languageArchitectures(experiment(mini, { adaptation: { ranks }, text: { alpha: 6 } })).map(
      ({ blocks }) => blocks[0]!.adapted[0]?.scale ?? 1,
    );
  assert.deepEqual(scales([4, 2]), [1.5, 3]);
  assert.deepEqual(scales([0, 1]), [1, 6]);
});

test('the projections that are adapted are those that are named', () => {
  const adapted = (targets: readonly string[]) =>
    languageArchitectures(experiment(mini, { text: { targets } }))[0]!.blocks[0]!.adapted.flatMap(
      ({ layers }) => layers,
    );
  assert.equal(adapted(['q_proj', 'v_proj']).length, 2);
  assert.equal(adapted(['o_proj']).length, 1);
  assert.notDeepEqual(adapted(['o_proj']), adapted(['q_proj']));
});

test('anchors that do not fit each other or the texts are refused', (t) => {
  const refused = (anchors: readonly object[], text: object, message: RegExp) =>
    assert.throws(() => languageArchitectures(experiment(anchors, { text })), { name: 'RequestError', message });
  const other = { name: 'big', architecture: 'llama_7b', checkpoint: '/nowhere' };
  refused([mini[0]!, other], {}, /^anchors: .*one vocabulary, received small \(1024\), big \(32000\)$/);
  // llama_mini sees 256 tokens.
  assert.equal(languageArchitectures(experiment(mini, { text: { cutoff: 256 } })).length, 2);
  refused(mini, { cutoff: 257 }, /^text\.cutoff: expected at most 256, what anchor small can see, received 257$/);
  const folder = temporaryFolder(t);
  const missing = { name: 'none', architecture: 'llama', checkpoint: folder };
  refused([missing, mini[0]!], {}, /^anchor none: .*config\.json cannot be read$/);
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ ...tinyJson, model_type: 'bert' }));
  refused([missing, mini[0]!], {}, /config\.json/);
});
