/** A trial of random weights, opened: which trial is meant, which stitches it has, and what they compute. */
import assert from 'node:assert/strict';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import { bind } from '../../../src/engine/bind.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { openDeployed } from '../../../src/experiment/deployed/deployed-network.js';
import { findTrial } from '../../../src/experiment/deployed/found-trial.js';
import { openTrial } from '../../../src/experiment/deployed/trained-trial.js';
import { spaceOf } from '../../../src/experiment/space.js';
import { listStitches } from '../../../src/experiment/space-listing.js';
import { weightsFingerprint } from '../../../src/models/pretrained/sources/weights-fingerprint.js';
import { type Adaptation, stitchFlops, trainableParams } from '../../../src/stitching/space/cost.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { noise, writtenAnchors, writtenRun } from '../written-run.js';

const document = async (folder: string, more: object = {}) => ({
  name: 'written',
  anchors: await writtenAnchors(folder),
  data: { kind: 'species', classes: 2 },
  adaptation: { ranks: [2, 2] },
  ...more,
});

test('a trial by its name, or the only finished one', async (t) => {
  const folder = temporaryFolder(t);
  const runFolder = path.join(folder, 'run');
  const given = await document(folder);
  const { trialFolder } = await writtenRun(runFolder, given);
  assert.equal((await findTrial(runFolder)).name, 'species-esta-seed0');
  await writtenRun(runFolder, { ...given, seeds: [1] });
  const hint = 'Choose one with --trial: species-esta-seed0, species-esta-seed1.';
  await assert.rejects(findTrial(runFolder), { message: `${runFolder} has 2 finished trials`, hint });
  assert.equal((await findTrial(runFolder, 'species-esta-seed1')).result.seed, 1);
  await assert.rejects(findTrial(runFolder, 'x'), { message: `${runFolder} has no finished trial "x"`, hint });
  await rm(path.join(trialFolder, 'result.json'));
  assert.equal((await findTrial(runFolder)).name, 'species-esta-seed1');
  await rm(path.join(runFolder, 'trials', 'species-esta-seed1', 'result.json'));
  await assert.rejects(findTrial(runFolder), {
    message: `${runFolder} has no finished trial`,
    hint: /esta run .*experiment\.yaml --out/,
  });
  await assert.rejects(findTrial(runFolder, 'x'), { hint: 'Choose one with --trial: none.' });
});

test('stitches that were trained, tested or not; others are refused', async (t) => {
  const folder = temporaryFolder(t);
  const given = await document(folder);
  const opened = async (name: string, ...written: readonly object[]) =>
    openTrial((await writtenRun(path.join(folder, name), given, written[0])).run);
  const whole = await opened('whole');
  const all = listStitches(experimentSchema.parse(given), 2);
  assert.deepEqual(
    whole.trained,
    all.map(({ id }) => id),
  );
  assert.deepEqual(whole.network(1).result, { ...all[1]!, accuracy: 51 });
  assert.deepEqual(whole.network(5).result, all[5], 'its costs, and no accuracy');
  assert.throws(() => whole.network(99), { name: 'RequestError', message: /^stitch 99 was not trained in species-/ });
  const alone = await opened('alone', { stitches: [4] });
  assert.deepEqual(alone.trained, [4]);
  assert.throws(() => alone.network(1), /stitch 1 was not trained/);
  const small = await opened('small', {
    trained: (trained: { readonly heads: object }) => ({ ...trained, heads: { 0: Object.values(trained.heads)[0] } }),
  });
  assert.deepEqual(small.trained, [0], 'without the head of S nothing ends in it');
});

test('costs of what is not deployed are counted with what was trained of it', async (t) => {
  const folder = temporaryFolder(t);
  const given = await document(folder);
  const { run, trialFolder, network } = await writtenRun(path.join(folder, 'run'), given);
  const counted = async () => {
    const { flops, trainable } = (await openTrial(run)).facts(5);
    return { flops, trainable };
  };
  const { space } = spaceOf(
    network.anchors.map(({ name }) => ({ name, architecture: name, checkpoint: 'embedded' })),
    {
      kernel: 2,
      stride: 1,
    },
  );
  const of = (adaptation: Adaptation | 'full') => {
    const stitch = space.stitches[5]!;
    const counting = { ...network, adaptation };
    return { flops: stitchFlops(stitch, counting), trainable: trainableParams(stitch, counting).total };
  };
  assert.deepEqual(await counted(), of(network.adaptation));
  // A variant of a study has its own ranks; SN-Net trains the weights themselves, with no updates beside them.
  for (const adaptation of [{ ranks: [1, 1], stitchingLayerRank: 1, stitchBias: false }, 'full'] as const) {
    const stages = [
      { name: 'anchor-Ti', anchor: 0, adaptation: network.adaptation },
      { name: 'stitched', adaptation },
    ];
    await writeFile(path.join(trialFolder, 'recipe.json'), JSON.stringify({ stages }));
    assert.deepEqual(await counted(), of(adaptation));
  }
  // Version 0.1.0 recorded no recipe.
  const old = await writtenRun(path.join(folder, 'old'), { ...given, methods: ['sn-net'] });
  const { flops, trainable } = (await openTrial(old.run)).facts(5);
  assert.deepEqual({ flops, trainable }, of('full'));
});

test('what was trained is merged: a classifier without anything beside its layers', async (t) => {
  const folder = temporaryFolder(t);
  const { run, trainables, space } = await writtenRun(path.join(folder, 'run'), await document(folder));
  const trial = await openTrial(run);
  const { weights, logits, classes, preprocessing, trial: name } = trial.network(0);
  assert.deepEqual([classes, name], [['first', 'second'], 'species-esta-seed0']);
  assert.equal(preprocessing.crop, 64);
  assert.deepEqual(weights.head, trainables.heads[0]);
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const images = noise('images', [2, 64, 64, 3]);
  const answer = async (id: number) => {
    const network = trial.network(id);
    const bound = bind(engine, `written ${id}`, network.weights, network.logits);
    const out = await bound.run(engine.put(images));
    return (await engine.get(out)).data as Float32Array;
  };
  assert.equal(typeof logits, 'function');
  const deployed = await openDeployed(run.folder, { stitch: 2 });
  assert.deepEqual([deployed.result.id, deployed.result.accuracy], [2, 52]);
  const classifier = deployed.load(engine);
  const output = await classifier.run(engine.put(images));
  assert.deepEqual((await engine.get(output)).data, await answer(2));
  assert.equal(space.stitches[2]!.path.length, 2);
});

test('what was trained belongs to the weights of its anchors', async (t) => {
  const folder = temporaryFolder(t);
  const { run, trialFolder } = await writtenRun(path.join(folder, 'run'), await document(folder));
  const file = path.join(folder, 'S.safetensors');
  const weights = { S: await weightsFingerprint(file, 'vit_mini_small_depth4') };
  await writeFile(path.join(trialFolder, 'identity.json'), JSON.stringify({ weights }));
  assert.ok((await openTrial(run)).trained.length > 2);
  await copyFile(path.join(folder, 'Ti.safetensors'), file);
  await assert.rejects(openTrial(run), {
    message: `species-esta-seed0 was trained with other weights of anchor S than ${file} holds now`,
    hint: /^Put the weights back/,
  });
  const embedded = { ...(await document(folder)), anchors: [{ name: 'Ti', architecture: 'vit_mini_tiny' }] };
  const anchors = [...embedded.anchors, { name: 'S', architecture: 'vit_mini_small' }];
  const old = await writtenRun(path.join(folder, 'old'), { ...embedded, anchors });
  await writeFile(path.join(old.trialFolder, 'identity.json'), JSON.stringify({ weights: { Ti: '0123456789abcdef' } }));
  await assert.rejects(openTrial(old.run), {
    message: /other weights of anchor Ti than this version embeds$/,
    hint: /environment\.json of the run names the version/,
  });
});

test('a trial without its files', async (t) => {
  const folder = temporaryFolder(t);
  const { run, trialFolder } = await writtenRun(path.join(folder, 'run'), await document(folder));
  await writeFile(path.join(trialFolder, 'trained.safetensors'), '');
  await assert.rejects(openTrial(run), { name: 'RequestError' });
});

test('language models classify no images', async (t) => {
  const folder = temporaryFolder(t);
  const anchors = ['small', 'base'].map((size) => ({ name: size, architecture: `llama_mini_${size}` }));
  const { run } = await writtenRun(path.join(folder, 'run'), {
    ...(await document(folder, { anchors, data: { kind: 'word-tasks', train_texts: 8, validation_texts: 4 } })),
    text: { cutoff: 64 },
  });
  await assert.rejects(openTrial(run), { message: /language models, which classify no images/, hint: /esta generate/ });
});
