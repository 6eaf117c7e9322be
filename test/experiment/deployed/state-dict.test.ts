/** The state dict of a stitch: which tensors stand in it, from which anchor, in which layout. PyTorch: the recipe test. */
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { exportStateDict, stateDictOf } from '../../../src/experiment/deployed/state-dict.js';
import { openTrial } from '../../../src/experiment/deployed/trained-trial.js';
import { readSafetensors } from '../../../src/models/pretrained/formats/safetensors.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { writtenAnchors, writtenRun } from '../written-run.js';

const document = async (folder: string) => ({
  name: 'written',
  anchors: await writtenAnchors(folder),
  data: { kind: 'species', classes: 2 },
  adaptation: { ranks: [2, 2] },
});

test('an anchor has all of its tensors under the names of timm', async (t) => {
  const folder = temporaryFolder(t);
  const { run } = await writtenRun(path.join(folder, 'run'), await document(folder));
  const { tensors, segments } = stateDictOf((await openTrial(run)).network(0));
  const names = ['attn.proj', 'attn.qkv', 'mlp.fc1', 'mlp.fc2', 'norm1', 'norm2'];
  const blocks = [0, 1, 2, 3].flatMap((block) => names.map((name) => `blocks.${block}.${name}`));
  const layers = [...blocks, 'head', 'norm', 'patch_embed.proj'];
  assert.deepEqual(
    Object.keys(tensors).sort(),
    [...layers.flatMap((name) => [`${name}.bias`, `${name}.weight`]), 'cls_token', 'pos_embed'].sort(),
  );
  assert.deepEqual(segments, [
    {
      ...{ prefix: '', family: 'vit', architecture: 'vit_mini_tiny_depth4', heads: 2 },
      blocks: ['blocks.0', 'blocks.1', 'blocks.2', 'blocks.3'],
    },
  ]);
  // Two classes on a width of 32; PyTorch has [out, in].
  assert.deepEqual([tensors['head.weight']!.shape, tensors['head.bias']!.shape], [[2, 32], [2]]);
  assert.deepEqual(tensors['blocks.0.attn.qkv.weight']!.shape, [96, 32]);
});

test('a stitch has the front of one anchor, a linear layer, and the end of the other', async (t) => {
  const folder = temporaryFolder(t);
  const { run, space } = await writtenRun(path.join(folder, 'run'), await document(folder));
  const trial = await openTrial(run);
  // One block of Ti, and S from its second one on.
  const { id } = space.stitches.find(({ path: [front, end] }) => front!.blocks[1] === 1 && end?.blocks[0] === 1)!;
  const network = trial.network(id);
  const { tensors, segments } = stateDictOf(network);
  const parts = new Set(Object.keys(tensors).map((name) => name.replace(/\.(weight|bias)$/, '').split('.attn')[0]!));
  const inBlock = (name: string) => [`${name}`, ...['mlp.fc1', 'mlp.fc2', 'norm1', 'norm2'].map((x) => `${name}.${x}`)];
  assert.deepEqual(
    [...parts].sort(),
    [
      ...['front.cls_token', 'front.pos_embed', 'front.patch_embed.proj', ...inBlock('front.blocks.0')],
      ...[...[1, 2, 3].flatMap((block) => inBlock(`end.blocks.${block}`)), 'end.norm', 'end.head', 'stitch'],
    ].sort(),
  );
  assert.deepEqual(
    segments.map(({ prefix, architecture, blocks }) => [prefix, architecture, blocks]),
    [
      ['front.', 'vit_mini_tiny_depth4', ['blocks.0']],
      ['end.', 'vit_mini_small_depth4', ['blocks.1', 'blocks.2', 'blocks.3']],
    ],
  );
  const { weight, bias } = network.weights.path.layers[network.stitch.stitchingLayer!]!;
  assert.deepEqual(
    [tensors['stitch.weight']!.shape, weight.shape],
    [
      [64, 32],
      [32, 64],
    ],
  );
  for (const [row, column] of [
    [0, 0],
    [5, 3],
    [63, 31],
  ] as const) {
    assert.equal(tensors['stitch.weight']!.data[row * 32 + column], weight.data[column * 64 + row]);
  }
  assert.deepEqual([...tensors['stitch.bias']!.data], [...bias.data]);
});

test('stitches of networks in stages: what leads into a stage is not behind the layer', async (t) => {
  const folder = temporaryFolder(t);
  const anchors = ['tiny', 'small'].map((name) => ({
    ...{ name, architecture: `convnext_mini_${name}`, checkpoint: 'embedded' },
  }));
  const { run } = await writtenRun(path.join(folder, 'run'), { ...(await document(folder)), anchors });
  const network = (await openTrial(run)).network(2);
  const partsOf = (stitch: typeof network.stitch) => {
    const { tensors, segments } = stateDictOf({ ...network, stitch });
    assert.ok(segments.every((segment) => !('heads' in segment)));
    const names = Object.keys(tensors).map((name) =>
      name.replace(/(\.downsample|\.stem|\.blocks\.\d+|\.head)\..*$/, '$1'),
    );
    return { names: [...new Set(names)].sort(), blocks: segments[1]!.blocks };
  };
  const [front, end] = network.stitch.path;
  assert.deepEqual(
    [front!.blocks, end!.blocks],
    [
      [0, 3],
      [3, 12],
    ],
  );
  const { names, blocks } = partsOf(network.stitch);
  const before = ['stem', 'stages.0.blocks.0', 'stages.1.blocks.0', 'stages.1.downsample', 'stages.2.blocks.0'];
  const behind = ['stages.3.downsample', 'stages.3.blocks.0', 'head'];
  const later = [1, 2, 3, 4, 5, 6, 7, 8].map((block) => `stages.2.blocks.${block}`);
  const expected = (...ends: readonly string[]) =>
    [
      ...[...before, 'stages.2.downsample'].map((name) => `front.${name}`),
      ...[...ends, ...later, ...behind].map((name) => `end.${name}`),
      ...['stitch.bias', 'stitch.weight'],
    ].sort();
  assert.deepEqual(names, expected());
  assert.deepEqual(blocks, [...later, 'stages.3.blocks.0']);
  // Behind a layer that enters a stage at its first block, the layer itself leads into the stage.
  const entering = { ...network.stitch, path: [front!, { anchor: 1, blocks: [2, 12] as const }] };
  assert.deepEqual(partsOf(entering).names, expected('stages.2.blocks.0'));
});

test('the file says what it is; float16 halves it; codes are refused', async (t) => {
  const folder = temporaryFolder(t);
  const { run } = await writtenRun(path.join(folder, 'run'), await document(folder));
  const network = (await openTrial(run)).network(2);
  const files = ['float32', 'float16'] as const;
  const [whole, half] = await Promise.all(
    files.map((precision) => exportStateDict(network, path.join(folder, `${precision}.safetensors`), precision)),
  );
  const { bytes, segments, file, precision, ...described } = whole!;
  assert.deepEqual([file, precision], [path.join(folder, 'float32.safetensors'), 'float32']);
  assert.equal(bytes, (await stat(file)).size);
  assert.ok(half!.bytes < 0.6 * bytes);
  const { metadata, tensors } = await readSafetensors(file);
  const { format: _, normalisation, ...entries } = metadata; // "pt", as PyTorch's own files
  assert.equal(normalisation, Array(6).fill(0.5).join(',')); // as readers of pretrained weights look for it
  const read = Object.fromEntries(Object.entries(entries).map(([name, text]) => [name, JSON.parse(text)]));
  assert.deepEqual(read, JSON.parse(JSON.stringify({ segments, ...described })));
  assert.deepEqual(read['classes'], ['first', 'second']);
  const parameters = Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0);
  assert.ok(parameters > 0 && bytes > 4 * parameters);
  await assert.rejects(exportStateDict(network, path.join(folder, 'int8.safetensors'), 'int8'), {
    ...{ name: 'RequestError', message: /no int8 weights/, hint: /float16/ },
  });
});
