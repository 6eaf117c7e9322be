import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { loadExperiment, loadPretraining } from '../../src/config/load.js';
import { RequestError } from '../../src/shared/errors.js';

const folder = await mkdtemp(path.join(tmpdir(), 'esta-load-'));
after(() => rm(folder, { recursive: true }));

const smallest = `name: smallest
anchors:
  - {name: Ti, architecture: a}
  - {name: S, architecture: b, checkpoint: ./weights/s.safetensors}
data: {kind: image-folder, root: ./images}
adaptation: {ranks: [4, 2]}
`;

async function write(text: string, name = 'experiment.yaml'): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, text);
  return file;
}

/** The lines of the message, without the first. */
async function problemsOf(text: string, set: readonly string[] = []): Promise<string[]> {
  const file = await write(text);
  const error = await loadExperiment(file, { set, workingFolder: folder }).then(
    () => assert.fail('expected a RequestError'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RequestError, String(error));
  return error.message.split('\n').slice(1);
}

test('defaults are those of supplement A and of SN-Net', async () => {
  const { config } = await loadExperiment(await write(smallest));
  const { training, stitching, sampling, seeds, methods, anchors, distillation } = config;
  assert.equal(training.epochs, 100);
  assert.equal(training.warmup_epochs, 10);
  assert.equal(training.weight_decay, 1e-4);
  assert.deepEqual(training.base_learning_rates, [1e-4, 2e-4, 1e-3, 2e-3]);
  assert.equal(training.grid_epochs, 100);
  assert.deepEqual(stitching, { kernel: 2, stride: 1, fit_images: 100 });
  assert.equal(sampling.eta, 0.9);
  assert.equal(sampling.bins, 14);
  assert.equal(sampling.warmup_epochs, 10);
  assert.deepEqual(distillation, { enabled: true, temperature: 1, weight: 1 });
  assert.deepEqual([seeds, methods], [[0], ['esta']]);
  assert.equal(anchors[0]?.checkpoint, 'embedded');
});

test('warm-ups shrink with the epochs, grid epochs never exceed them', async () => {
  const file = await write(`${smallest}training: {epochs: 30, grid_epochs: 20}\n`);
  const { config } = await loadExperiment(file, { set: ['training.epochs=15'] });
  assert.equal(config.training.warmup_epochs, 2);
  assert.equal(config.sampling.warmup_epochs, 2);
  assert.equal(config.training.grid_epochs, 15);
});

test('numbers that JSON has no words for are shown as the file writes them', async () => {
  const problems = await problemsOf(`name: x
anchors: [{name: Ti, architecture: a}, {name: S, architecture: b}]
data: {kind: species}
adaptation: {ranks: [4, 4]}
training: {weight_decay: .nan, epochs: .inf}
`);
  assert.ok(
    problems.some((problem) => /weight_decay: .*received \.nan$/.test(problem)),
    problems.join('\n'),
  );
  assert.ok(
    problems.some((problem) => /epochs: .*received \.inf$/.test(problem)),
    problems.join('\n'),
  );
});

test('all problems are reported at once, each with its line', async () => {
  const problems = await problemsOf(`name: two words
anchors:
  - {name: Ti, architecture: a}
  - {name: Ti, architecture: b, chekpoint: c}
data:
  kind: image-foldr
  root: x
adaptation:
  ranks: [4, -1]
training:
  epochs: ten
sampling:
  strategy: uniforn
  eta: 1.5
preprocessing: {resize: 64, crop: 72}
trainin: 3
`);
  const expected = [
    /^ {2}line 1: name: expected a name of letters.*received "two words"$/,
    /^ {2}line 2: anchors: anchor Ti is listed twice/,
    /^ {2}line 4: anchors\.1\.chekpoint: unknown key; did you mean checkpoint\? \(allowed: name, architecture, checkpoint\)$/,
    /^ {2}line 6: data\.kind: expected one of species, image-folder, .*, received "image-foldr"; did you mean image-folder\?$/,
    /^ {2}line 9: adaptation\.ranks\.1: expected a number >= 0, received -1$/,
    /^ {2}line 11: training\.epochs: expected a number, received "ten"$/,
    /^ {2}line 13: sampling\.strategy: expected one of task-specific, uniform, received "uniforn"; did you mean uniform\?$/,
    /^ {2}line 14: sampling\.eta: expected a number < 1, received 1\.5$/,
    /^ {2}line 15: preprocessing\.crop: expected at most preprocessing\.resize \(64\), received 72$/,
    /^ {2}line 16: trainin: unknown key; did you mean training\?/,
  ];
  assert.equal(problems.length, expected.length, problems.join('\n'));
  for (const [index, pattern] of expected.entries()) assert.match(problems[index]!, pattern);
});

test('a missing field says what it is', async () => {
  assert.deepEqual(await problemsOf('name: empty\n'), [
    '  line 1: anchors: is missing; Pretrained networks, from the smallest to the largest.',
    '  line 1: data: is missing; One data set (kind, root, ...), or a list of them.',
    '  line 1: adaptation: is missing; What is trained beside the frozen anchors.',
  ]);
});

test('an empty file and one that is no mapping are refused', async () => {
  assert.deepEqual(await problemsOf(''), ['  line 1: the file: expected a mapping (name: value), received null']);
  assert.match((await problemsOf('- a\n'))[0]!, /expected a mapping/);
});

test('fields contradict each other', async () => {
  const problems = await problemsOf(
    smallest.replace('[4, 2]', '[4, 2, 1]') +
      'seeds: [1, 1]\ntraining: {epochs: 5, warmup_epochs: 6}\nsampling: {warmup_epochs: 7, bins: 0}\n',
  );
  assert.deepEqual(problems, [
    '  line 6: adaptation.ranks: expected 2 ranks, one for each anchor (Ti, S), received 3',
    '  line 7: seeds: seed 1 is listed twice; each must be there once',
    '  line 8: training.warmup_epochs: expected at most training.epochs (5), received 6',
    '  line 9: sampling.bins: expected a number >= 1, received 0',
    '  line 9: sampling.warmup_epochs: expected at most training.epochs (5), received 7',
  ]);
});

test('no more stitches learn in a step than there are FLOPs bins', async () => {
  assert.deepEqual(await problemsOf(`${smallest}sampling: {stitches_per_step: 4, bins: 3}\n`), [
    '  line 7: sampling.stitches_per_step: expected at most sampling.bins (3), received 4',
  ]);
});

test('the smallest stitch cannot be the only one that learns', async () => {
  assert.deepEqual(await problemsOf(`${smallest}sampling: {sandwich: true}\n`), [
    '  line 7: sampling.sandwich: expected false, or sampling.stitches_per_step of at least 2: the smallest stitch would be the only one that learns',
  ]);
});

test('problems of --set name the option', async () => {
  const problems = await problemsOf(smallest, ['training.epoch=5', 'adaptation.ranks=[1]', 'name=fine']);
  assert.equal(problems.length, 2);
  assert.match(problems[0]!, /^ {2}--set training\.epoch=5: training\.epoch: unknown key; did you mean epochs\?/);
  assert.match(problems[1]!, /^ {2}--set adaptation\.ranks=\[1\]: adaptation\.ranks: expected 2 ranks/);
});

test('a rule between two fields names the --set that decided either', async () => {
  const given = `${smallest}sampling: {stitches_per_step: 3}\n`;
  assert.deepEqual(await problemsOf(given, ['name=fine', 'sampling.bins=2']), [
    '  line 7, with --set sampling.bins=2: sampling.stitches_per_step: expected at most sampling.bins (2), received 3',
  ]);
  assert.deepEqual(await problemsOf(given, ['sampling.bins=2', 'sampling.stitches_per_step=4']), [
    '  --set sampling.stitches_per_step=4, with --set sampling.bins=2: sampling.stitches_per_step: expected at most sampling.bins (2), received 4',
  ]);
  assert.deepEqual(await problemsOf(given, ['sampling={ stitches_per_step: 4, bins: 2 }']), [
    '  --set sampling={ stitches_per_step: 4, bins: 2 }: sampling.stitches_per_step: expected at most sampling.bins (2), received 4',
  ]);
});

test('--set of a text that looks like a number says how to write it', async () => {
  const folder = smallest.replace(/^data:.*$/m, 'data: {kind: image-folder, root: x}');
  assert.deepEqual(await problemsOf(folder, ['data.root=0123']), [
    `  --set data.root=0123: data.root: expected text, received 123; as a text: --set 'data.root="0123"'`,
  ]);
  const { config } = await loadExperiment(await write(folder), { set: ['data.root="0123"'], workingFolder: '/' });
  assert.deepEqual(
    config.data.map((dataset) => 'root' in dataset && dataset.root),
    ['/0123'],
  );
  assert.deepEqual(await problemsOf(folder, ['data.root=[a]']), [
    '  --set data.root=[a]: data.root: expected text, received ["a"]',
  ]);
});

test('paths start at the folder of the file, those of --set at the working folder', async () => {
  const file = await write(smallest);
  const inFile = await loadExperiment(file);
  assert.equal((inFile.config.data[0] as { root: string }).root, path.join(folder, 'images'));
  assert.equal(inFile.config.anchors[1]!.checkpoint, path.join(folder, 'weights/s.safetensors'));

  const set = ['data.root=other', 'anchors.Ti.checkpoint=hf-hub:timm/x', 'anchors.S.checkpoint=~/s.safetensors'];
  const overridden = await loadExperiment(file, { set, workingFolder: '/somewhere' });
  assert.equal((overridden.config.data[0] as { root: string }).root, path.resolve('/somewhere/other'));
  assert.equal(overridden.config.anchors[0]!.checkpoint, 'hf-hub:timm/x');
  assert.equal(overridden.config.anchors[1]!.checkpoint, path.join(homedir(), 's.safetensors'));
  assert.deepEqual(
    overridden.overrides.map(({ text }) => text),
    set,
  );
});

test('a list of training images, and ~, start where other paths do; what is left out stays out', async () => {
  const listed = smallest.replace('root: ./images', 'root: a~/b, training_list: "lists/{seed}.txt"');
  const file = await write(listed);
  const { config } = await loadExperiment(file);
  const [data] = config.data;
  assert.ok(data && 'training_list' in data);
  assert.deepEqual(data.training_list, path.join(folder, 'lists/{seed}.txt'));
  assert.deepEqual(data.root, path.join(folder, 'a~/b'));
  const set = ['data.training_list=mine.txt', 'data.root="~"', 'anchors.S.checkpoint=s.safetensors'];
  const changed = (await loadExperiment(file, { set, workingFolder: '/somewhere' })).config;
  assert.deepEqual(changed.data, [{ ...data, training_list: path.resolve('/somewhere/mine.txt'), root: homedir() }]);
  assert.equal(changed.anchors[1]!.checkpoint, path.resolve('/somewhere/s.safetensors'));
  const [without] = (await loadExperiment(await write(smallest))).config.data;
  assert.ok(!('training_list' in without!));
  const species = await write(smallest.replace(/^data: .*$/m, 'data: {kind: species}'));
  assert.ok(!('training_list' in (await loadExperiment(species)).config.data[0]!));
});

test('a --set that addresses nothing is refused though the file is right', async () => {
  const two = smallest.replace(/^data: .*$/m, 'data: [{kind: species}, {kind: nabirds, root: r}]');
  assert.deepEqual(await problemsOf(two, ['data.root=elsewhere']), [
    '  --set data.root=elsewhere: data.root: the list has no entry "root" (entries: species, nabirds)',
  ]);
});

test('a list that is too short, an empty text, a kind that is the only one', async () => {
  const anchor = '{name: Ti, architecture: ""}';
  assert.deepEqual(await problemsOf(smallest.replace(/^anchors:\n.*\n.*$/m, `anchors: [${anchor}]`)), [
    '  line 2: anchors.0.architecture: expected text that is not empty, received ""',
    '  line 2: anchors: expected at least 2 entries, received [{"name":"Ti","architecture":"","checkpoint":"embedded"}]',
  ]);
  const pretraining = 'name: p\nanchors: [{name: Ti, architecture: a}]\noutput: ./o\n';
  await assert.rejects(loadPretraining(await write(`${pretraining}data: {kind: species, root: r}\n`)), {
    message: /: expected one of image-folder, plain-text, received "species"$/,
  });
  await assert.rejects(loadPretraining(await write(pretraining)), {
    message:
      /has a problem\n {2}line 1: data: is missing; Images for networks that read images, text for language models\.$/,
  });
});

test('data takes a list, and names what has no name', async () => {
  const list =
    'data: [{kind: species}, {kind: vtab-1k, task: svhn, root: v}, {kind: image-folder, name: mine, root: r}]';
  const file = await write(smallest.replace(/^data: .*$/m, list));
  const { config } = await loadExperiment(file, { set: ['data.mine.root=/m', 'data.vtab-svhn.root=/v'] });
  assert.deepEqual(
    config.data.map((dataset) => [dataset.name, 'root' in dataset ? dataset.root : undefined]),
    [
      ['species', undefined],
      ['vtab-svhn', path.resolve('/v')],
      ['mine', path.resolve('/m')],
    ],
  );
});

test('YAML errors carry their line', async () => {
  const file = await write('name: x\nname: y\nanchors: [\n');
  await assert.rejects(loadExperiment(file), (error: RequestError) => {
    assert.match(error.message, /is not valid YAML\n {2}line 2: .*\n {2}line \d: /s);
    return error instanceof RequestError;
  });
});

test('a file that is not there', async () => {
  await assert.rejects(loadExperiment('experiments/quikstart.yaml', { workingFolder: folder }), {
    name: 'RequestError',
    message: 'experiments/quikstart.yaml does not exist',
    hint: /^Did you mean quickstart\?/,
  });
  await assert.rejects(loadExperiment(folder), { name: 'RequestError', message: /is a folder$/ });
  const below = `${await write(smallest)}/more.yaml`;
  await assert.rejects(loadExperiment(below), { name: 'RequestError', message: `${below} does not exist` });
  const long = path.join(folder, 'x'.repeat(300));
  await assert.rejects(loadExperiment(long), {
    ...{ name: 'RequestError', message: `${long} cannot be read (ENAMETOOLONG)` },
    hint: 'Check the path: it is longer than this file system allows.',
  });
});

test('a file given to the wrong command', async () => {
  const text = 'name: p\ndata: {kind: image-folder, root: r}\nanchors: [{name: Ti, architecture: a}]\noutput: ./o\n';
  const file = await write(text, 'pretraining.yaml');
  const { config } = await loadPretraining(file);
  assert.equal(config.output, path.join(folder, 'o'));
  assert.deepEqual(config.data, { kind: 'image-folder', root: path.join(folder, 'r'), image_size: 64 });
  const set = ['output=p', 'data.root=~/images'];
  const changed = (await loadPretraining(file, { set, workingFolder: '/somewhere' })).config;
  assert.deepEqual([changed.output, changed.data.root], [path.resolve('/somewhere/p'), path.join(homedir(), 'images')]);
  assert.equal(
    (await loadPretraining(file, { set: ['data.root=mine'], workingFolder: '/somewhere' })).config.data.root,
    path.resolve('/somewhere/mine'),
  );
  const from = async (checkpoint: string) => {
    const start = { set: [`anchors.Ti.checkpoint=${checkpoint}`], workingFolder: '/somewhere' };
    return (await loadPretraining(file, start)).config.anchors[0]!.checkpoint;
  };
  assert.deepEqual(await Promise.all(['embedded', 'hf-hub:timm/a', 'a.safetensors'].map(from)), [
    ...['embedded', 'hf-hub:timm/a'],
    path.resolve('/somewhere/a.safetensors'),
  ]);
  await assert.rejects(loadExperiment(file), {
    message: /is a file for esta pretrain, not for esta run$/,
    hint: `The command for it:\nNext: esta pretrain ${file}`,
  });
  await assert.rejects(loadPretraining(await write(smallest)), { message: /is a file for esta run/ });
});
