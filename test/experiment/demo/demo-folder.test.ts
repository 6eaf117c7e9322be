/** What lies in the folder of a demo, of stitches that were never trained. The page in a browser: the recipe test. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { writeDemo } from '../../../src/experiment/demo/write-demo.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { writtenAnchors, writtenRun } from '../written-run.js';

/** Two classes of two images in each split, and a run on them that deploys three stitches. */
async function writtenWithImages(runFolder: string, root: string, deployed: readonly number[]) {
  for (const split of ['train', 'test']) {
    for (const [index, name] of ['dark', 'light'].entries()) {
      await mkdir(path.join(root, split, name), { recursive: true });
      const background = { r: 100 * index, g: 0, b: 100 };
      for (const image of ['0', '1']) {
        const drawn = sharp({ create: { width: 64, height: 64, channels: 3, background } });
        await writeFile(path.join(root, split, name, `${image}.PNG`), await drawn.png().toBuffer());
      }
    }
  }
  const document = {
    name: 'written',
    anchors: await writtenAnchors(path.dirname(root)),
    data: { kind: 'image-folder', name: 'mine', root },
    adaptation: { ranks: [2, 2] },
    preprocessing: { crop: 64 },
  };
  return writtenRun(runFolder, document, { classes: ['dark', 'light'], deployed });
}

test('a folder for any server: page, program, runtime, models, examples, and the palette', async (t) => {
  const folder = temporaryFolder(t);
  const [runFolder, root, out] = ['run', 'images', 'demo'].map((name) => path.join(folder, name)) as [
    ...[string, string, string],
  ];
  const { run } = await writtenWithImages(runFolder, root, [1, 4, 0]);
  const stitches = run.result.stitches.toSorted((a, b) => a.flops - b.flops);
  const palette = await writeDemo(runFolder, { out, examples: 3 });

  await t.test('the palette by rising FLOPs, with what each stitch costs', async () => {
    const { stitches: shown, preprocessing, ...rest } = palette;
    assert.deepEqual(rest, {
      title: 'mine: 3 stitches of one training',
      about: 'The budget chooses the stitch: the front of one network, the rear of a larger one.',
      classes: ['dark', 'light'],
      anchors: [
        { name: 'Ti', blocks: 4 },
        { name: 'S', blocks: 4 },
      ],
      // The first, and one of each third of the four.
      examples: ['examples/0.png', 'examples/1.png', 'examples/2.png'],
    });
    assert.deepEqual([preprocessing.mean, preprocessing.std], [[0, 0, 0], Array(3).fill(1 / 255)]);
    assert.equal(shown.length, 3);
    for (const [place, { id, file, bytes, flops, label, path: segments }] of shown.entries()) {
      const { params, accuracy, ...expected } = stitches[place]!;
      assert.deepEqual([id, flops, segments], [expected.id, expected.flops, expected.path]);
      assert.equal(file, `models/stitch-${id}.onnx`);
      assert.equal((await stat(path.join(out, file))).size, bytes);
      const [m, p] = [(flops / 1e6).toPrecision(3), (params / 1e6).toPrecision(3)];
      assert.ok(label.endsWith(`: ${m} MFLOPs, ${p} M parameters, ${accuracy.toFixed(1)} % of the test images`), label);
    }
    assert.deepEqual(JSON.parse(await readFile(path.join(out, 'palette.json'), 'utf8')), palette);
  });

  await t.test('the examples are test images of all classes', async () => {
    const copies = await Promise.all(palette.examples.map((name) => readFile(path.join(out, name))));
    const originals = ['dark/0', 'dark/1', 'light/0'].map((name) => path.join(root, 'test', `${name}.PNG`));
    assert.deepEqual(copies, await Promise.all(originals.map((file) => readFile(file))));
    assert.equal((await readdir(path.join(out, 'examples'))).length, 3);
  });

  await t.test('every module that the page imports lies in the folder, with all that it imports', async () => {
    const page = (await readdir(out)).filter((name) => name.endsWith('.js'));
    assert.ok((await stat(path.join(out, 'index.html'))).size > 0 && page.length > 0);
    const missing: string[] = [];
    const seen = new Set<string>();
    const follow = async (file: string): Promise<void> => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = await readFile(file, 'utf8').catch(() => undefined);
      if (text === undefined) missing.push(file);
      for (const [, name] of text?.matchAll(/from '(\.[^']+)'/g) ?? []) {
        await follow(path.join(path.dirname(file), name!));
      }
    };
    for (const name of page) await follow(path.join(out, name));
    assert.deepEqual(missing, []);
    const program = [...seen].filter((file) => file.startsWith(path.join(out, 'program')));
    assert.ok(program.length > 1, `${program}`);
    const kinds = (await readdir(path.join(out, 'runtime'))).map((name) => name.slice(name.lastIndexOf('.')));
    assert.deepEqual(kinds.sort(), ['.mjs', '.mjs', '.mjs', '.mjs', '.wasm', '.wasm']);
  });

  await t.test('is written over itself, not over anything else; fewer bits are told', async () => {
    const other = path.join(folder, 'other');
    await mkdir(other);
    await writeFile(path.join(other, 'thesis.txt'), '');
    await assert.rejects(writeDemo(runFolder, { out: other }), {
      ...{ name: 'RequestError', message: `${other} is there, and no demo`, hint: /--out/ },
    });
    const again = await writeDemo(runFolder, { out, precision: 'float16' });
    assert.equal(again.about, `${palette.about} Its weights are float16; the accuracies are those of float32 weights.`);
    assert.ok(again.stitches[0]!.bytes < palette.stitches[0]!.bytes);
    assert.equal(again.examples.length, 4, 'there are no more');
  });
});

test('an image that browsers do not show is an example as PNG', async (t) => {
  const folder = temporaryFolder(t);
  const [runFolder, root, out] = ['run', 'images', 'demo'].map((name) => path.join(folder, name)) as [
    ...[string, string, string],
  ];
  await writtenWithImages(runFolder, root, [0]);
  const [png, tiff] = ['0.PNG', '0.tif'].map((name) => path.join(root, 'test', 'dark', name)) as [string, string];
  await writeFile(tiff, await sharp(png).tiff().toBuffer());
  const pixels = await sharp(png).raw().toBuffer();
  await rm(png);
  const { examples } = await writeDemo(runFolder, { out });
  const first = path.join(out, examples[0]!);
  assert.deepEqual([examples[0], (await sharp(first).metadata()).format], ['examples/0.png', 'png']);
  assert.deepEqual(await sharp(first).raw().toBuffer(), pixels);
});

test('a demo without the test images says why it has no examples', async (t) => {
  const folder = temporaryFolder(t);
  const [runFolder, root, out] = ['run', 'images', 'demo'].map((name) => path.join(folder, name)) as [
    ...[string, string, string],
  ];
  await writtenWithImages(runFolder, root, [0]);
  await rm(root, { recursive: true });
  await mkdir(out); // an empty folder will do
  const told: string[] = [];
  const { examples } = await writeDemo(runFolder, { out, onNote: (text) => void told.push(text) });
  assert.deepEqual([examples, told.length], [[], 1]);
  assert.match(told[0]!, /^without example images: .*images/);
});

test('a demo that was stopped while it was written is written again; models beside anything else stay', async (t) => {
  const folder = temporaryFolder(t);
  const [runFolder, root, out] = ['run', 'images', 'demo'].map((name) => path.join(folder, name)) as [
    ...[string, string, string],
  ];
  await writtenWithImages(runFolder, root, [0]);
  await mkdir(path.join(out, 'models'), { recursive: true });
  await writeFile(path.join(out, 'models', 'stitch-0.onnx'), '');
  await writeFile(path.join(out, 'thesis.txt'), '');
  await assert.rejects(writeDemo(runFolder, { out }), { message: `${out} is there, and no demo` });
  await rm(path.join(out, 'thesis.txt'));
  const { stitches } = await writeDemo(runFolder, { out });
  assert.equal((await stat(path.join(out, 'models', 'stitch-0.onnx'))).size, stitches[0]!.bytes);
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  await assert.rejects(writeDemo(runFolder, { out: file }), { message: `${file} is there, and no demo` });
});
