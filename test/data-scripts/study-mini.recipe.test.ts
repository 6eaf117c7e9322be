/** The script that runs the studies and writes their page, with the smallest real settings. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { projectRoot } from '../command-line.js';
import { writtenAnchors } from '../experiment/written-run.js';

const line = '<!-- Below this line: written by data-scripts/study-mini.sh. -->';
const smallest = [
  'seeds=[0]',
  'data=[{kind: species, classes: 2, train_images: 8, validation_images: 2, test_images: 4}]',
  'training.epochs=1',
  'training.grid_epochs=1',
  'training.base_learning_rates=[1e-2]',
  'training.batch_size=8',
  'sampling.bins=2',
  'stitching.fit_images=4',
  'adaptation.ranks=[2, 2]',
];

test('the script runs studies, writes their page, and leaves what people wrote on it', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-study-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const page = path.join(folder, 'page.md');
  const anchors = JSON.stringify(await writtenAnchors(folder));
  const run = async () => {
    const script = path.join(projectRoot, 'data-scripts', 'study-mini.sh');
    const settings = [...smallest, `anchors=${anchors}`].flatMap((setting) => ['--set', setting]);
    const environment = {
      ...process.env,
      RUNS: path.join(folder, 'runs'),
      PAGE: page,
      XDG_CACHE_HOME: folder,
      GLIBC_TUNABLES: '',
    };
    const args = [script, 'distillation', 'sampling', '--', '--seeds', '1', ...settings];
    return promisify(execFile)('sh', args, { cwd: folder, env: environment });
  };

  const first = await run();
  assert.match(first.stdout, /Written: .*page\.md\n$/);
  const [above, below] = (await readFile(page, 'utf8')).split(`${line}\n`);
  assert.equal(above, '# Studies on a small computer\n\n');
  assert.match(below!, /## distillation\n[\s\S]*### Curves compared\n[\s\S]*## sampling\n/);
  assert.match(below!, /\| Species \| task-specific sampling \| 1 \|/i);
  // Links of the page hold.
  const links = [...below!.matchAll(/\]\((?<file>page\/[^)]+)\)/g)].map(({ groups }) => groups!['file']!);
  assert.ok(links.includes('page/distillation/figure.svg') && links.includes('page/sampling/figure.svg'));
  for (const link of links) await access(path.join(folder, link));
  assert.deepEqual(
    (await readdir(path.join(folder, 'page', 'sampling'))).filter((name) => !name.endsWith('.svg')),
    [],
  );
  // ESTA as the file describes it is trained once for both studies.
  assert.match(first.stderr, /species-esta-task-specific-sampling-seed0: taken from .*with-distillation-seed0/);

  const answers = '# Studies\n\nWhat they show: 50 % / 50 %.\n\n';
  await writeFile(page, `${answers}${line}\nold tables\n`);
  const second = await run();
  assert.equal([...second.stderr.matchAll(/finished before/g)].length, 5);
  assert.equal(await readFile(page, 'utf8'), `${answers}${line}\n${below}`);
});
