import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Sample, SpeciesSource } from '../../src/data/dataset.js';
import { decodeImage } from '../../src/data/images/decode.js';
import { maximumSpecies, speciesFrom, speciesName } from '../../src/data/species/traits.js';
import { listSpecies, openSpecies } from '../../src/data/species.js';
import { RequestError } from '../../src/shared/errors.js';
import { shortMark } from '../../src/shared/processes/process-mark.js';

let cache: string;
before(async () => {
  cache = await mkdtemp(path.join(tmpdir(), 'species-'));
});
after(() => rm(cache, { recursive: true }));

const small: SpeciesSource = {
  kind: 'species',
  name: 'beetles',
  classes: 3,
  train_images: 2,
  validation_images: 1,
  test_images: 1,
  seed: 0,
};

test('all species are different, and relatives share their genus', () => {
  const all = speciesFrom(0, maximumSpecies);
  assert.equal(new Set(all.map(speciesName)).size, maximumSpecies);
  assert.deepEqual(all.slice(0, 5).map(speciesName), [
    'Rotundella bipunctata',
    'Rotundella quadripunctata',
    'Rotundella sexpunctata',
    'Rotundella ocellata',
    'Longicornia vittata',
  ]);
  const shared = new Set(speciesFrom(0, 24).map(({ pattern }) => pattern));
  assert.equal(shared.size, 12, 'every pattern occurs in two of the six genera');
});

test('images are drawn once, in the size asked for', async () => {
  const calls: number[] = [];
  const options = { imageSize: 32, onProgress: (done: number) => calls.push(done) };
  const { name, classes, splits } = await openSpecies(small, cache, options);
  assert.equal(name, 'beetles');
  assert.deepEqual(classes, ['Rotundella-bipunctata', 'Rotundella-quadripunctata', 'Rotundella-sexpunctata']);
  assert.deepEqual([splits.train.length, splits.val?.length, splits.test.length], [6, 3, 3]);
  const { width, height } = await decodeImage(splits.train[0]!.file, { interpolation: 'bilinear' });
  assert.deepEqual([width, height], [32, 32]);
  assert.equal(calls.length, 12);
  await openSpecies(small, cache, options);
  assert.equal(calls.length, 12);
  assert.equal((await readdir(cache)).length, 1, 'nothing temporary is left');
});

test('an image depends on seed, species, split and number alone', async () => {
  const contents = async (source: SpeciesSource) => {
    const { splits } = await openSpecies(source, cache, { imageSize: 32 });
    return Promise.all([...splits.train.slice(0, 2), splits.test[0]!].map(({ file }) => readFile(file, 'base64')));
  };
  const reference = await contents(small);
  assert.equal(new Set(reference).size, 3);
  assert.deepEqual(await contents({ ...small, classes: 2, validation_images: 2 }), reference);
  assert.equal(new Set([...reference, ...(await contents({ ...small, seed: 1 }))]).size, 6);
});

test('from another number on there are other species, drawn as they are elsewhere', async () => {
  const contentOf = async (source: SpeciesSource, name: string) => {
    const { classes, splits } = await openSpecies(source, cache, { imageSize: 32 });
    return readFile(splits.train.find(({ label }) => classes[label] === name)!.file);
  };
  const later = { ...small, first: 2 };
  const names = ['Longicornia-vittata', 'Rotundella-ocellata', 'Rotundella-sexpunctata'];
  assert.deepEqual((await openSpecies(later, cache, { imageSize: 32 })).classes, names);
  assert.deepEqual(listSpecies(later).classes, names);
  const shared = 'Rotundella-sexpunctata';
  assert.deepEqual(await contentOf(later, shared), await contentOf(small, shared));
});

test('the list of images needs no drawing', async () => {
  const { classes, splits } = await openSpecies(small, cache, { imageSize: 32 });
  const root = path.dirname(path.dirname(path.dirname(splits.train[0]!.file)));
  const below = (samples: readonly Sample[] = []) =>
    samples.map(({ file, label }) => ({ file: path.relative(root, file), label }));
  assert.deepEqual(listSpecies(small), {
    name: 'beetles',
    classes,
    splits: { train: below(splits.train), val: below(splits.val), test: below(splits.test) },
  });
});

test('two processes may draw the same images at a time', async () => {
  const source = { ...small, seed: 7 };
  const [one, other] = await Promise.all([openSpecies(source, cache), openSpecies(source, cache)]);
  assert.deepEqual(one, other);
});

test('what a killed drawing left is swept by the next; one under way is left alone', async () => {
  const own = shortMark();
  const [, place] = own.split('-');
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const left = path.join(cache, `species-v2-2x1+1+1-64px-seed9.tmp-${pid}-${place}-abcdef`);
  const underWay = path.join(cache, `species-v2-2x1+1+1-64px-seed9.tmp-${own}-abcdef`);
  for (const folder of [left, underWay]) await mkdir(path.join(folder, 'train'), { recursive: true });
  await openSpecies({ ...small, seed: 8 }, cache, { imageSize: 16 });
  const names = (await readdir(cache)).filter((name) => name.includes('.tmp-'));
  assert.deepEqual(names, [path.basename(underWay)]);
  await rm(underWay, { recursive: true });
});

test('wrong numbers of species, and a damaged cache, are refused', async () => {
  const isRequest = (pattern: RegExp) => (error: unknown) => {
    return error instanceof RequestError && pattern.test(error.message) && error.hint !== undefined;
  };
  await assert.rejects(openSpecies({ ...small, classes: 121 }, cache), isRequest(/121 species .* 2 to 120/));
  await assert.rejects(
    openSpecies({ ...small, first: 118 }, cache),
    isRequest(/3 species from number 118 on .* 2 to 2/),
  );
  const damaged = { ...small, seed: 9 };
  const { splits } = await openSpecies(damaged, cache);
  await rm(splits.train[0]!.file);
  await assert.rejects(openSpecies(damaged, cache), isRequest(/5, 3, 3 images .* 6, 3, 3 were drawn/));
});

test('colour does not tell the species', async () => {
  const source = { ...small, classes: 8, train_images: 20, test_images: 20 };
  const { splits } = await openSpecies(source, cache, { imageSize: 24 });
  const meanColour = async ({ file }: Sample) => {
    const { pixels } = await decodeImage(file, { interpolation: 'bilinear' });
    const sums = [0, 0, 0];
    for (const [at, value] of pixels.entries()) sums[at % 3]! += value;
    return sums.map((sum) => (3 * sum) / pixels.length);
  };
  const centroids = Array.from({ length: 8 }, () => [0, 0, 0]);
  for (const sample of splits.train) {
    for (const [channel, value] of (await meanColour(sample)).entries()) {
      centroids[sample.label]![channel]! += value / 20;
    }
  }
  let correct = 0;
  for (const sample of splits.test) {
    const colour = await meanColour(sample);
    const distances = centroids.map((centroid) => Math.hypot(...centroid.map((value, c) => value - colour[c]!)));
    if (distances.indexOf(Math.min(...distances)) === sample.label) correct++;
  }
  // chance is 20 of 160; 40 would be five standard deviations above it
  assert.ok(correct < 40, `${correct} of 160 by the nearest mean colour`);
});
