/** The reference page and the JSON Schemas follow from the schemas that check experiment and pretraining files. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { projectRoot } from './command-line.js';

const experiments = path.join(projectRoot, 'experiments');
const shipped = (await readdir(experiments, { recursive: true })).filter((name) => name.endsWith('.yaml'));

test('the committed page and schemas are what npm run docs writes', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-docs-'));
  t.after(() => rm(folder, { recursive: true }));
  await promisify(execFile)(process.execPath, [path.join(projectRoot, 'dist/src/write-docs.js'), folder]);
  const written = (await readdir(folder, { recursive: true })).filter((name) => path.extname(name) !== '');
  assert.equal(written.length, 3);
  for (const name of written) {
    const committed = await readFile(path.join(projectRoot, name), 'utf8');
    assert.ok(committed === (await readFile(path.join(folder, name), 'utf8')), `${name} is old: npm run docs`);
  }
});

/** A validator that knows JSON Schema alone, by the schema that the first line of a shipped file names. */
async function validatorFor(name: string) {
  const [first] = (await readFile(path.join(experiments, name), 'utf8')).split('\n');
  const schema = /^# yaml-language-server: \$schema=(\S+)$/.exec(first!)?.[1];
  assert.ok(schema, `${name} names its schema`);
  const file = path.join(experiments, path.dirname(name), schema);
  return new Ajv({ allErrors: true }).compile(JSON.parse(await readFile(file, 'utf8')));
}

for (const name of shipped) {
  test(`${name} names its schema and agrees with it`, async () => {
    const validate = await validatorFor(name);
    assert.ok(validate(parse(await readFile(path.join(experiments, name), 'utf8'))), JSON.stringify(validate.errors));
  });
}

test('an editor sees unknown keys, values out of range and kinds that do not exist', async () => {
  const validate = await validatorFor('quickstart.yaml');
  const document = parse(await readFile(path.join(experiments, 'quickstart.yaml'), 'utf8'));
  const wrong = [
    { trainning: {} },
    { training: { epochs: 0 } },
    { preprocessing: { mean: [0.5, 0.5] } },
    { data: { kind: 'flowers' } },
    { data: [{ kind: 'image-folder' }] },
    { methods: ['est'] },
  ];
  for (const fields of wrong) assert.equal(validate({ ...document, ...fields }), false, JSON.stringify(fields));
  const right = [{ preprocessing: { mean: [0.5, 0.5, 0.5] } }, { data: [{ kind: 'image-folder', root: 'mine' }] }];
  for (const fields of right) assert.ok(validate({ ...document, ...fields }), JSON.stringify(validate.errors));
});

test('the page gives the default and the source of a key, also of one inside a mapping', async () => {
  const page = await readFile(path.join(projectRoot, 'docs/experiment-files.md'), 'utf8');
  assert.match(page, /^\| eta \| number ≥ 0 \\< 1 \| 0\.9 \| Momentum of the importance scores\. \| supplement E \|$/m);
  assert.match(page, /^\| gradient\\_angles\.stitches \| integer ≥ 2 \| 32 \|/m);
  assert.match(page, /^\| name \| text \| required \| Name of the experiment/m);
});
