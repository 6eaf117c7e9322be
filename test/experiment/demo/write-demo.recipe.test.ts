/** The page in a real browser says what `esta predict` says. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { predict } from '../../../src/evaluation/predict.js';
import { type Palette, writeDemo } from '../../../src/experiment/demo/write-demo.js';
import { openDeployed } from '../../../src/experiment/deployed/deployed-network.js';
import { miniature } from '../miniature.js';
import { chromium, openPage, serve } from './browser.js';

test('a page that runs the deployed stitches', async (t) => {
  const mini = await miniature(t);
  // Drawn images are 64 x 64: enlarged to 72 by the functions of predict, and cropped.
  const experiment = mini.experiment({ preprocessing: { resize: 72, crop: 64 }, training: { epochs: 1 } });
  await mini.run(experiment, 'run');
  const [run, out] = [path.join(mini.folder, 'run'), path.join(mini.folder, 'demo')];
  const palette = await writeDemo(run, { out, examples: 3, cacheFolder: mini.cacheFolder });

  await t.test('lists its stitches by rising FLOPs, and holds a file for each', async () => {
    const { stitches } = palette;
    assert.deepEqual(
      stitches,
      stitches.toSorted((a, b) => a.flops - b.flops),
    );
    const models = await readdir(path.join(out, 'models'));
    assert.deepEqual(models.sort(), stitches.map(({ id }) => `stitch-${id}.onnx`).sort());
    assert.deepEqual(palette.anchors, [
      { name: 'Ti', blocks: 4 },
      { name: 'S', blocks: 4 },
    ]);
    assert.equal(palette.examples.length, 3);
  });

  await t.test('is written again over itself, not over another folder', async () => {
    await writeDemo(run, { out, examples: 3, cacheFolder: mini.cacheFolder });
    // That of the run holds other things.
    await assert.rejects(writeDemo(run, { out: run }), { name: 'RequestError' });
  });

  await t.test('has smaller files with weights of fewer bits, and says so', async () => {
    const small = await writeDemo(run, { out: path.join(mini.folder, 'small'), examples: 0, precision: 'int8' });
    const bytesOf = ({ stitches }: Palette) => stitches.reduce((sum, { bytes }) => sum + bytes, 0);
    assert.ok(bytesOf(small) < bytesOf(palette) / 2, `${bytesOf(small)} of ${bytesOf(palette)}`);
    assert.match(small.about, / Its weights are int8; /);
    assert.doesNotMatch(palette.about, /weights/);
  });

  await t.test('in a browser', { skip: chromium ? false : 'there is no Chromium' }, async (t) => {
    const { address, missing } = await serve(t, out);
    const page = await openPage(t, address);
    for (let wait = 0; wait < 600 && !(await page.evaluate('document.body?.dataset.shown')); wait++) {
      await setTimeout(200);
    }
    assert.equal(await page.evaluate('document.getElementById("problem").textContent'), '');
    const names = await page.evaluate<string>('document.getElementById("classes").textContent');
    for (const name of palette.classes) assert.ok(names.includes(name), names);
    assert.match(await page.evaluate('document.getElementById("time").textContent'), /^\d+\.\d ms an image/);
    assert.equal(await page.evaluate('document.querySelectorAll("#blocks rect").length'), 8);

    const images = [...palette.examples, 'glass.png'];
    await writeGlass(path.join(out, 'glass.png'));
    for (const [place, { id }] of palette.stitches.entries()) {
      const network = await openDeployed(run, { stitch: id });
      const files = images.map((name) => path.join(out, name));
      const expected = await predict(mini.engine, network, files, 1);
      for (const [index, { logits }] of expected.entries()) {
        const call = `esta.classify(${JSON.stringify(images[index])}, ${place}).then(({ logits }) => logits)`;
        const found = await page.evaluate<number[]>(call);
        const size = Math.max(...logits.map(Math.abs));
        const error = Math.max(...logits.map((logit, at) => Math.abs(logit - found[at]!))) / size;
        assert.ok(error < 1e-4, `stitch ${id}, image ${index}: ${error}`); // sums of float32 in another order
      }
    }
    assert.deepEqual(missing, []);
  });
});

/** An image whose colours a canvas does not keep: transparent at the top, more and more opaque below. */
async function writeGlass(file: string): Promise<void> {
  const side = 96;
  const pixels = Uint8Array.from({ length: side * side * 4 }, (_, at) => {
    const [pixel, channel] = [at >> 2, at % 4];
    const [row, column] = [Math.floor(pixel / side), pixel % side];
    return [255 - 2 * row, 2 * column, (row * column) % 256, Math.max(0, 2 * row - 40)][channel]!;
  });
  await sharp(pixels, { raw: { width: side, height: side, channels: 4 } })
    .png()
    .toFile(file);
}
