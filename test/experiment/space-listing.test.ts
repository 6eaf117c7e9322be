/** The list of `esta stitches`, against what SN-Net publishes of its anchors and against a count by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { experimentSchema } from '../../src/config/schema/experiment.js';
import { listStitches, stitchTable } from '../../src/experiment/space-listing.js';

const experiment = (names: readonly string[], adaptation: object) =>
  experimentSchema.parse({
    name: 'listed',
    anchors: names.map((architecture, index) => ({ name: ['Ti', 'S', 'B'][index], architecture })),
    data: { kind: 'species' },
    adaptation,
  });
const deit = experiment(['vit_tiny_patch16_224', 'vit_small_patch16_224', 'vit_base_patch16_224'], {
  ...{ ranks: [0, 0, 0], stitching_layer_rank: 0, stitch_bias: false },
});

test('stitches by id, with their path, FLOPs and parameters', () => {
  const listed = listStitches(deit, 1000);
  assert.deepEqual(
    listed.map(({ id }) => id),
    Array.from({ length: 71 }, (_, id) => id),
  );
  const [tiny] = listed;
  // Nothing but a head is trained.
  assert.deepEqual(tiny, {
    ...{ id: 0, path: [{ anchor: 'Ti', blocks: [0, 12] }], flops: 1258411200, params: 5717416 },
    trainable: 192 * 1000 + 1000,
  });
  assert.deepEqual(listed[4]!.path, [
    { anchor: 'Ti', blocks: [0, 1] },
    { anchor: 'S', blocks: [1, 12] },
  ]);
  assert.equal(listed[4]!.trainable, 384 * 1000 + 1000);
});

test('the table gives billions of FLOPs where the largest has them, else millions', () => {
  const table = stitchTable(deit, 1000, 'imagenet');
  assert.equal(table.title, 'listed: 71 stitches, 1000 classes (imagenet)');
  assert.deepEqual(
    table.columns.map(({ key, label, precision }) => [key, label, precision]),
    [
      ['id', 'id', 0],
      ['path', 'path: anchor[from-to)', undefined],
      ['flops', 'FLOPs (G)', undefined],
      ['params', 'params (M)', undefined],
      ['trainable', 'trainable (M)', 3],
    ],
  );
  const { cells } = table.rows[0]!;
  assert.deepEqual(cells, { id: 0, path: 'Ti[0-12)', flops: 1.2584112, params: 5.717416, trainable: 0.193 });
  assert.match(String(table.rows[4]!.cells['path']), /^Ti\[0-1\) .*S\[1-12\)$/);
  const mini = experiment(['vit_mini_tiny', 'vit_mini_small'], { ranks: [0, 0] });
  const [listed] = listStitches(mini, 2);
  const small = stitchTable(mini, 2, 'two');
  assert.equal(small.columns[2]!.label, 'FLOPs (M)');
  assert.equal(small.rows[0]!.cells['flops'], listed!.flops / 1e6);
  assert.deepEqual(small.notes, []);
});
