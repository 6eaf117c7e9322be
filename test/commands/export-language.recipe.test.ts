/** Deployed stitches of language models as files for other programs. */
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { openModel } from '../../src/evaluation/generation/open-model.js';
import { findTrial } from '../../src/experiment/deployed/found-trial.js';
import { openDeployedLanguage } from '../../src/experiment/text/deployed-language.js';
import { readAdapter } from '../../src/models/peft/adapter.js';
import { readSafetensors } from '../../src/models/pretrained/formats/safetensors.js';
import { esta } from '../command-line.js';
import { textMiniature } from '../experiment/text/text-miniature.js';

test('deployed language models are exported', async (t) => {
  const mini = await textMiniature(t);
  const [result] = await mini.run(mini.experiment({ training: { epochs: 1 } }), 'run');

  await t.test(
    '--format peft: an anchor with its adapter is the network that was trained; a stitch has one for each anchor',
    async () => {
      const [run, out] = ['run', 'out'].map((name) => path.join(mini.folder, name)) as [string, string];
      const exported = async (id: number) => {
        const command = [
          'export',
          run,
          '--stitch',
          `${id}`,
          '--format',
          'peft',
          '--out',
          path.join(out, `${id}`),
          '--json',
        ];
        const { status, stdout, stderr } = await esta(command);
        assert.deepEqual([status, stderr], [0, '']);
        return JSON.parse(stdout);
      };
      const largest = result!.stitches.at(-1)!;
      const { adapters } = await exported(largest.id);
      const [{ base, folder }] = adapters;
      assert.deepEqual(adapters, [{ anchor: 'B', base: path.join(mini.folder, 'B'), folder, blocks: [0, 3] }]);
      const ids = [1, 7, 300, 9, 2];
      const logitsOf = async ({ model }: Pick<Awaited<ReturnType<typeof openModel>>, 'model'>) => {
        const logits = await model.begin().read(ids);
        model.dispose();
        return logits;
      };
      const merged = await logitsOf(await openModel(mini.engine, base, { adapter: folder }));
      const deployed = await openDeployedLanguage(await findTrial(run));
      const unmerged = await logitsOf({ model: deployed.model(mini.engine, largest.id) });
      const plain = await logitsOf(await openModel(mini.engine, base));
      const distance = (one: Float32Array, other: Float32Array) =>
        Math.max(...one.map((value, index) => Math.abs(value - other[index]!)));
      assert.ok(distance(merged, unmerged) < 1e-5 && distance(plain, unmerged) > 1e-3);

      const stitch = result!.stitches.find(({ path }) => path.length === 2)!;
      const { adapters: both, stitchingLayer, description } = await exported(stitch.id);
      for (const [segment, { anchor, folder, blocks }] of both.entries()) {
        assert.deepEqual({ anchor, blocks }, stitch.path[segment]);
        // Queries and values of each block.
        assert.equal((await readAdapter(folder)).size, 2 * (blocks[1] - blocks[0]));
      }
      const { tensors } = await readSafetensors(stitchingLayer);
      assert.deepEqual([tensors['weight']!.shape, tensors['bias']!.shape], [[24, 16], [24]]);
      assert.ok((await stat(description)).size > 0);
    },
  );

  await t.test('an ONNX file answers as generate does, token by token; the tokenizer lies beside it', async () => {
    const stitch = result!.stitches.find(({ path }) => path.length === 2)!;
    const [run, file] = ['run', 'out/stitch.onnx'].map((name) => path.join(mini.folder, name)) as [string, string];
    const command = ['export', run, '--stitch', `${stitch.id}`, '--out', file, '--json'];
    const { status, stdout } = await esta(command);
    assert.equal(status, 0);
    const document = JSON.parse(stdout);
    const { comparison, blocks, tokenizer } = document;
    assert.ok(comparison.largestDifference < 1e-5 && comparison.largestLogit > 0.1);
    assert.deepEqual([comparison.newTokens, comparison.sameToken], [8, 9]);
    // Both have 2 heads of keys; their heads are 16 / 4 and 24 / 4 wide.
    const widths = { S: 4, B: 6 } as Readonly<Record<string, number>>;
    const expected = stitch.path.flatMap(({ anchor, blocks: [from, to] }) =>
      Array.from({ length: to - from }, () => ({ anchor, heads: 2, width: widths[anchor] })),
    );
    assert.deepEqual(blocks, expected);
    assert.deepEqual(JSON.parse(await readFile(path.join(mini.folder, 'out/stitch.json'), 'utf8')), document);
    assert.equal(document.bytes, (await stat(file)).size);
    const original = await readFile(path.join(mini.folder, 'S/tokenizer.model'));
    assert.deepEqual([path.basename(tokenizer), await readFile(tokenizer)], ['tokenizer.model', original]);
    const refused = await esta([...command.slice(0, -1), '--batch', '2']);
    assert.deepEqual([refused.status, /--batch is of networks that read images/.test(refused.stderr)], [2, true]);

    await writeFile(tokenizer, 'of another network');
    const kept = await esta(command.slice(0, -1));
    assert.deepEqual([kept.status, /tokenizer.model is another tokenizer/.test(kept.stderr)], [2, true]);
    assert.equal(await readFile(tokenizer, 'utf8'), 'of another network');
  });
});

test('--format peft is refused where there is no adapter to write', async (t) => {
  const mini = await textMiniature(t);
  const once = { methods: ['sn-net', 'adapt-then-stitch'], training: { epochs: 1, base_learning_rates: [0.5] } };
  await mini.run(mini.experiment(once), 'run');
  for (const [method, message] of [
    ['sn-net', /has no low-rank updates in anchor/],
    ['adapt-then-stitch', /its layers have two updates each/],
  ] as const) {
    const trial = ['--trial', `word-tasks-${method}-seed0`];
    const out = path.join(mini.folder, 'out');
    const { status, stderr } = await esta([
      'export',
      path.join(mini.folder, 'run'),
      ...trial,
      '--format',
      'peft',
      '--out',
      out,
    ]);
    assert.equal(status, 2);
    assert.match(stderr, message);
  }
});
