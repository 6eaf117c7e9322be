import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { buildReport } from '../../../src/report/report.js';
import { temporaryFolder, writeRunFolder } from '../../run-folder/run-folder-fixture.js';

const chromium = '/usr/bin/chromium';

test('the page needs nothing from anywhere else', async () => {
  const { text } = await buildReport([await writeRunFolder([{}, { method: 'sn-net', state: 'failed' }])], 'html');
  assert.deepEqual(text.match(/\b(?:src|href)="[^"]*"|@import|url\(/g), null);
  const addresses = new Set(text.match(/https?:\/\/[^"\s]+/g));
  assert.deepEqual([...addresses], ['http://www.w3.org/2000/svg', 'http://www.w3.org/1999/xlink']);
  assert.match(text, /default-src 'none'/);
  assert.ok(text.includes('mark-failed'));
  assert.ok(text.length < 200_000, `${text.length} characters`);
});

test('names cannot break out of the page', async () => {
  const dataset = '</script><b>x';
  const change = (result: object) => ({ ...result, dataset });
  const { text } = await buildReport([await writeRunFolder([{ change }])], 'html');
  assert.ok(!text.includes(dataset));
});

test('a run without results says so', async () => {
  const { text } = await buildReport([await writeRunFolder([{ state: 'running' }])], 'html');
  assert.ok(text.includes('No trial has finished yet.'));
});

const skip = existsSync(chromium) ? false : `${chromium} is not installed`;

test('in a browser, pointer and keys show the blocks of a stitch', { skip }, async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'report.html');
  await buildReport([await writeRunFolder([{}])], 'html', { out: file });
  const driver = `<script type="module">
    const card = document.querySelector('.card');
    const report = (name) => {
      const rows = [...card.querySelectorAll('.blocks span:nth-child(even)')];
      const used = rows.map((row) => [...row.children].map((square) => +square.classList.contains('used')).join(''));
      document.body.setAttribute('data-' + name, [card.hidden, card.querySelector('strong')?.textContent, ...used].join('|'));
    };
    const find = (text) => [...document.querySelectorAll('[data-point]')].find((p) => p.getAttribute('aria-label').includes(text));
    const box = find('ViT-Ti 0–3 → ViT-S 4–11').getBoundingClientRect();
    const at = { clientX: box.x + 3, clientY: box.y + 3, bubbles: true, pointerType: 'mouse' };
    document.querySelector('.figure svg').dispatchEvent(new PointerEvent('pointermove', at));
    report('pointer');
    find('ESTA: ViT-Ti;').focus();
    document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'End', bubbles: true }));
    report('end');
    document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    report('escape');
  </script></body>`;
  await writeFile(file, (await readFile(file, 'utf8')).replace('</body>', driver));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];
  const quiet = ['--disable-component-update', '--disable-sync', `--user-data-dir=${path.join(folder, 'profile')}`];
  const { stdout } = await promisify(execFile)(chromium, [...flags, ...quiet, '--dump-dom', pathToFileURL(file).href], {
    maxBuffer: 1 << 24,
    timeout: 120_000,
  });
  const seen = (name: string) => new RegExp(`data-${name}="([^"]*)"`).exec(stdout)?.[1];
  const blocks = ['111100000000', '000011111111', '000000000000'];
  assert.equal(seen('pointer'), ['false', 'Stanford Cars, ESTA: ViT-Ti 0–3 → ViT-S 4–11', ...blocks].join('|'));
  // The last point by FLOPs: stitches that run one block more than ViT-B alone cost more.
  assert.match(seen('end')!, /^false\|Stanford Cars, ESTA: ViT-S .* → ViT-B/);
  assert.ok(seen('escape')!.startsWith('true|'));
});
