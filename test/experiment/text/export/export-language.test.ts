/** Files of a deployed stitch of language models, of a trial of random weights. */
import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { exportAdapters } from '../../../../src/experiment/text/export/adapters.js';
import { exportDecoder } from '../../../../src/experiment/text/export/onnx.js';
import { readAdapter } from '../../../../src/models/peft/adapter.js';
import { readSafetensors } from '../../../../src/models/pretrained/formats/safetensors.js';
import { temporaryFolder } from '../../../models/pretrained/fixtures.js';
import { writtenAnchors, writtenRun } from '../../written-run.js';
import { textMiniature } from '../text-miniature.js';

const json = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
const written = { classes: [] };

test('adapters: one of an anchor, one for each anchor of a stitch with its layer beside', async (t) => {
  const mini = await textMiniature(t);
  const { run, trainables, layers, space } = await writtenRun(path.join(mini.folder, 'run'), mini.document(), written);
  const [small, , stitch] = run.result.stitches;
  const out = path.join(mini.folder, 'anchor');
  const anchor = await exportAdapters(run, small!, out);
  assert.deepEqual(anchor, {
    ...{ trial: run.name, stitch: small },
    adapters: [{ anchor: 'S', base: path.join(mini.folder, 'S'), folder: out, blocks: [0, 2] }],
    description: path.join(out, 'stitch.json'),
  });
  assert.deepEqual((await readdir(out)).sort(), ['adapter_config.json', 'adapter_model.safetensors', 'stitch.json']);
  assert.deepEqual(await json(anchor.description), JSON.parse(JSON.stringify(anchor)));
  const adapter = await readAdapter(out);
  assert.deepEqual([...adapter.keys()].sort(), [
    ...['model.layers.0.self_attn.q_proj', 'model.layers.0.self_attn.v_proj'],
    ...['model.layers.1.self_attn.q_proj', 'model.layers.1.self_attn.v_proj'],
  ]);

  // Another stitch beside it would leave files of both; the same one is written again.
  await assert.rejects(exportAdapters(run, stitch!, out), {
    ...{ name: 'RequestError', message: `${out} holds the adapters of stitch ${small!.id} of ${run.name}` },
  });
  assert.deepEqual(await exportAdapters(run, small!, out), anchor);

  const both = await exportAdapters(run, stitch!, path.join(mini.folder, 'stitch'));
  const folders = ['S', 'B'].map((name) => path.join(mini.folder, 'stitch', name));
  assert.deepEqual(
    both.adapters.map(({ anchor, base, folder, blocks }) => ({ anchor, base, folder, blocks })),
    stitch!.path.map(({ anchor, blocks }, index) => ({
      ...{ anchor, base: path.join(mini.folder, anchor), folder: folders[index], blocks },
    })),
  );
  const [front, end] = stitch!.path;
  const modules = await Promise.all(folders.map(async (folder) => (await readAdapter(folder)).size));
  assert.deepEqual(modules, [2 * front!.blocks[1], 2 * (end!.blocks[1] - end!.blocks[0])]);
  // W + A B of the stitching layer, [out, in]; the random update is that of the layer.
  const { tensors } = await readSafetensors(both.stitchingLayer!);
  const index = space.stitches[2]!.stitchingLayer!;
  const { weight } = layers[index]!;
  const { down, up } = trainables.layers[index]!;
  const rank = down.shape.at(-1)!;
  const at = (row: number, column: number) => {
    let value = weight.data[row * 24 + column]!;
    for (let inner = 0; inner < rank; inner++) value += down.data[row * rank + inner]! * up.data[inner * 24 + column]!;
    return value;
  };
  assert.deepEqual(tensors['weight']!.shape, [24, 16]);
  assert.ok(Math.abs((tensors['weight']!.data[5 * 16 + 3] as number) - at(3, 5)) < 1e-6);
  assert.deepEqual(tensors['bias']!.shape, [24]);
});

test('adapters are refused where there is none to write', async (t) => {
  const mini = await textMiniature(t);
  const of = async (name: string, changes: Readonly<Record<string, unknown>>) => {
    const { run } = await writtenRun(path.join(mini.folder, name), mini.document(changes), written);
    return exportAdapters(run, run.result.stitches[1]!, path.join(mini.folder, 'out'));
  };
  const refused = (message: RegExp, hint: RegExp) => ({ name: 'RequestError', message, hint });
  const ranks = { adaptation: { ranks: [0, 0], stitching_layer_rank: 0 } };
  await assert.rejects(
    of('zero', ranks),
    refused(/^stitch 1 of \S+ has no low-rank updates in anchor B/, /ranks above 0/),
  );
  for (const method of ['adapt-then-stitch', 'adapt-then-sn-net']) {
    const message = refused(/two updates each/, /esta, naive-lora, ss-lora and anchor-lora/);
    await assert.rejects(of(method, { methods: [method] }), message);
  }
  const images = { name: 'x', anchors: await writtenAnchors(mini.folder), data: { kind: 'species', classes: 2 } };
  const { run } = await writtenRun(path.join(mini.folder, 'images'), { ...images, adaptation: { ranks: [2, 2] } });
  await assert.rejects(
    exportAdapters(run, run.result.stitches[0]!, temporaryFolder(t)),
    refused(/networks that read images/, /--out FILE\.safetensors/),
  );
});

test('a decoder file: its facts, the comparison with the engine, and the tokenizer beside it', async (t) => {
  const mini = await textMiniature(t);
  const { run } = await writtenRun(path.join(mini.folder, 'run'), mini.document(), written);
  const stitch = run.result.stitches[2]!;
  const out = temporaryFolder(t);
  const file = path.join(out, 'stitch.onnx');
  const exported = await exportDecoder(run, stitch, file, 'float32');
  const { comparison, bytes, licence, special, blocks, ...facts } = exported;
  assert.deepEqual(facts, {
    ...{ file, tokenizer: path.join(out, 'tokenizer.model'), description: path.join(out, 'stitch.json') },
    ...{ trial: run.name, stitch, precision: 'float32', contextLength: 256, vocabulary: 420 },
  });
  assert.deepEqual(await json(facts.description), JSON.parse(JSON.stringify(exported)));
  assert.match(licence, /^as the weights that were adapted: .*S, .*B$/);
  assert.equal(bytes, (await stat(file)).size);
  assert.deepEqual((await readdir(out)).sort(), ['stitch.json', 'stitch.onnx', 'tokenizer.model']);
  assert.deepEqual(special, { begin: 1, end: [2] });
  // Of 2 heads of keys, 16 / 4 and 24 / 4 wide.
  const widths: Readonly<Record<string, number>> = { S: 4, B: 6 };
  assert.deepEqual(
    blocks,
    stitch.path.flatMap(({ anchor, blocks: [from, to] }) =>
      Array.from({ length: to - from }, () => ({ anchor, heads: 2, width: widths[anchor] })),
    ),
  );
  const { largestDifference, largestLogit, ...counts } = comparison;
  assert.deepEqual([counts.newTokens, counts.sameToken], [8, 9]);
  assert.ok(counts.promptTokens > 20 && counts.promptTokens < 256 - 8, `${counts.promptTokens}`);
  assert.ok(largestDifference < 1e-4 * largestLogit && largestLogit > 0.01, JSON.stringify(comparison));

  // Beside the network itself nothing is copied; weights of eight bits are fewer bytes, and answer a little differently.
  const beside = await exportDecoder(run, run.result.stitches[0]!, path.join(mini.folder, 'S', 'small.onnx'), 'int8');
  assert.equal(beside.tokenizer, path.join(mini.folder, 'S', 'tokenizer.model'));
  assert.deepEqual([beside.precision, beside.blocks.length], ['int8', 2]);
  assert.ok(beside.comparison.largestDifference > largestDifference);

  // Neither the name of another kind of file, nor one whose description would replace the configuration of the network.
  await assert.rejects(exportDecoder(run, stitch, path.join(out, 'stitch.pt'), 'float32'), {
    ...{ name: 'RequestError', message: /would be an ONNX file, and its name says \.pt$/ },
    hint: `Give --out ${path.join(out, 'stitch.onnx')} for ONNX Runtime.`,
  });
  await assert.rejects(exportDecoder(run, stitch, path.join(mini.folder, 'S', 'config.onnx'), 'float32'), {
    ...{ name: 'RequestError', message: /config\.json is there, and describes no exported file/ },
  });
});
