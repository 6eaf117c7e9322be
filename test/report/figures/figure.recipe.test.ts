import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { figureSvg } from '../../../src/report/figures/figure.js';
import type { FigureData } from '../../../src/report/figures/figure-data.js';
import { figureSpec } from '../../../src/report/figures/figure-spec.js';
import { readReportContent } from '../../../src/report/report-content.js';
import type { TrialResult } from '../../../src/run-folder/result.js';
import { type FakeTrial, temporaryFolder, writeRunFolder } from '../../run-folder/run-folder-fixture.js';
import { noPaper } from '../no-paper.js';

async function figureOf(trials: readonly FakeTrial[]): Promise<FigureData> {
  return (await readReportContent([await writeRunFolder(trials)], noPaper)).figure!;
}

const onlyDeployed = (result: TrialResult) => ({
  ...result,
  stitches: result.stitches.filter(({ bin, path }) => bin !== undefined || path.length === 1),
});

const fgvc = ['cub-200-2011', 'nabirds', 'oxford-flowers-102', 'stanford-dogs', 'stanford-cars'];

test('one data set: a colour for each method; a star for each anchor of each', async () => {
  const data = await figureOf([{}, { method: 'sn-net', stitches: 'all' }, { method: 'lora', stitches: 'anchors' }]);
  assert.deepEqual([data.panels, data.title], [['Stanford Cars'], 'Stanford Cars']);
  assert.deepEqual(
    data.anchors.map(({ label }) => label),
    ['ViT-Ti', 'ViT-S', 'ViT-B'],
  );
  const svg = await figureSvg(figureSpec(data));
  for (const text of ['ESTA', 'SN-Net', 'lora', 'FLOPs (G)', 'Top-1 accuracy (%)', 'ViT-Ti']) {
    assert.ok(svg.includes(`>${text}</text>`), text);
  }
  const labels = [...svg.matchAll(/aria-label="([^"]+)"/g)].map(([, label]) => label!);
  assert.equal(labels.filter((label) => /: ViT-(Ti|S|B);/.test(label)).length, 9);
  assert.ok(svg.includes('small pale points: evaluated, not deployed'));
  const deployed = await figureSvg(figureSpec(await figureOf([{ change: onlyDeployed }])));
  assert.ok(deployed.includes('stars: anchors<'), 'nothing is pale where only what is deployed was evaluated');
  assert.ok(labels.some((label) => /ESTA: ViT-Ti 0–3 → ViT-S \d–11; \d\.\d\d GFLOPs; \d\d\.\d\d %/.test(label)));
});

test('one method on several data sets: one panel, a colour for each', async () => {
  const data = await figureOf(fgvc.map((dataset) => ({ dataset })));
  assert.deepEqual([data.title, data.panels.length, data.series.length], ['ESTA', 1, 5]);
});

test('several methods on several data sets: a panel for each data set, and for their mean', async () => {
  const data = await figureOf(fgvc.flatMap((dataset) => [{ dataset }, { dataset, method: 'sn-net' }]));
  assert.deepEqual(data.panels.slice(4), ['Stanford Dogs', 'FGVC']);
  assert.equal(data.panels.length, 6);
  const svg = await figureSvg(figureSpec(data));
  assert.ok(data.panels.every((panel) => svg.includes(`>${panel}</text>`)));
});

test('more data sets than panels: their mean', async () => {
  const data = await figureOf(Array.from({ length: 10 }, (_, index) => ({ dataset: `task${index}` })));
  assert.equal(data.title, 'mean of 10 data sets: ESTA');
  assert.ok(data.points.filter(({ deployed }) => deployed).length >= 14);
});

test('labels of anchors that are near each other do not run into each other', async () => {
  // The embedded family: long names, and a narrow panel.
  const rename = (text: string) => text.replaceAll('vit_', 'vit_mini_');
  const trials = fgvc.slice(0, 2).flatMap((dataset) => [{ dataset }, { dataset, method: 'sn-net' }]);
  const change = (result: object) => JSON.parse(rename(JSON.stringify(result))) as unknown;
  const svg = await figureSvg(figureSpec(await figureOf(trials.map((trial) => ({ ...trial, change })))));
  const found = [...svg.matchAll(/translate\(([\d.]+),(-[\d.]+)\)"[^>]*>(ViT-mini-[TSB]i?)</g)];
  assert.equal(found.length, 9); // two data sets and their mean
  const boxes = found
    .slice(0, 3)
    .map(([, x, y, text]) => ({ x: Number(x), y: Number(y), half: (text!.length * 6.3) / 2 }));
  for (const [index, a] of boxes.entries()) {
    for (const b of boxes.slice(index + 1)) {
      assert.ok(Math.abs(a.x - b.x) > a.half + b.half || Math.abs(a.y - b.y) > 11, JSON.stringify([a, b]));
    }
  }
});

test('the PNG has text on a machine without any font', async () => {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, 'fonts'));
  const bare = path.join(folder, 'bare.conf');
  await writeFile(bare, `<?xml version="1.0"?><fontconfig><dir>${path.join(folder, 'fonts')}</dir></fontconfig>`);
  // Letters of very different ink on white; a machine without fonts draws both as the same empty box.
  const letter = (text: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60"><rect width="60" height="60" fill="#fff"/>` +
    `<text x="8" y="46" font-family="DejaVu Sans" font-size="40">${text}</text></svg>`;
  const figure = await figureSvg(figureSpec(await figureOf([{}])));
  await Promise.all(
    Object.entries({ i: letter('i'), W: letter('W'), figure }).map(([name, svg]) =>
      writeFile(path.join(folder, `${name}.svg`), svg),
    ),
  );
  const script = `
    import { readFile, writeFile } from 'node:fs/promises';
    import { figurePng } from ${JSON.stringify(new URL('../../../src/report/figures/figure.js', import.meta.url).href)};
    for (const name of ['i', 'W', 'figure']) {
      await writeFile(name + '.png', await figurePng(await readFile(name + '.svg', 'utf8'), 1));
    }`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: folder,
    env: { ...process.env, FONTCONFIG_FILE: bare, FONTCONFIG_PATH: folder, HOME: folder, XDG_DATA_HOME: folder },
  });
  const ink = async (name: string, box?: { left: number; top: number; width: number; height: number }) => {
    const image = sharp(await readFile(path.join(folder, `${name}.png`)));
    const { data } = await (box ? image.extract(box) : image).greyscale().raw().toBuffer({ resolveWithObject: true });
    return data.filter((value) => value < 128).length;
  };
  assert.ok((await ink('W')) > 1.8 * (await ink('i')), 'W is wider than i');
  // The title is in the upper left corner, the y axis title at the left edge; a line of text covers 5 to 30 %.
  for (const box of [
    { left: 12, top: 10, width: 100, height: 16 },
    { left: 12, top: 150, width: 16, height: 140 },
  ]) {
    const share = (await ink('figure', box)) / (box.width * box.height);
    assert.ok(share > 0.05 && share < 0.4, `share of ink ${share}`);
  }
});

test('the packaged font is where it is looked for', async () => {
  const font = fileURLToPath(import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'));
  assert.ok((await readFile(font)).length > 700_000);
});
