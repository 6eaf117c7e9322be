/** What an experiment needs of its data sets, and how it is told of all that is wrong with them. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { experimentSchema } from '../../src/config/schema/experiment.js';
import { checkedPlan, inputProblems, refuseWrongInputs } from '../../src/experiment/inputs.js';
import { planOf } from '../../src/experiment/plan.js';
import { RequestError } from '../../src/shared/errors.js';
import { temporaryFolder } from '../data/official/temporary-folder.js';

const experiment = (more: object = {}) =>
  experimentSchema.parse({
    name: 'checked',
    anchors: ['tiny', 'small'].map((name) => ({ name, architecture: `vit_mini_${name}` })),
    data: { kind: 'species', classes: 2, train_images: 5, validation_images: 3, test_images: 1 },
    adaptation: { ranks: [1, 1] },
    ...more,
    training: { batch_size: 4, base_learning_rates: [0.1], ...(more as { training?: object }).training },
  });
/** A folder with one training image of each class, of which nothing can be held out. */
async function imageFolder(t: TestContext) {
  const root = await temporaryFolder(t);
  for (const folder of ['train/a', 'train/b', 'test/a', 'test/b']) {
    await mkdir(path.join(root, folder), { recursive: true });
    await writeFile(path.join(root, folder, '0.jpg'), '');
  }
  return { kind: 'image-folder', root };
}
const batchProblem = 'data set species: 10 training images do not fill a batch. Set training.batch_size, now 11,';

test('training images must fill a batch, the largest one where settings are compared', async () => {
  assert.deepEqual(await inputProblems(experiment({ training: { batch_size: 10 } })), []);
  const large = experiment({ training: { batch_size: 11 } });
  const [problem, ...others] = await inputProblems(large);
  assert.ok(problem!.startsWith(batchProblem), problem);
  assert.deepEqual(others, []);
  const variants = [experiment(), large].map((experiment, index) => ({ name: `v${index}`, experiment }));
  assert.equal((await inputProblems(experiment(), variants)).length, 1);
  assert.deepEqual(await inputProblems(large, variants.slice(0, 1)), [], 'only variants are run');
});

test('validation images are needed where something is chosen on them', async (t) => {
  const data = await imageFolder(t);
  const of = ({ training, ...more }: { readonly training?: object; readonly [section: string]: unknown }) =>
    inputProblems(experiment({ data, ...more, training: { batch_size: 1, ...training } }));
  assert.deepEqual(await of({}), []);
  assert.deepEqual(await of({ methods: ['anchor-lora'], evaluation: { leave_out_beaten: true } }), []);
  for (const more of [
    { training: { base_learning_rates: [0.1, 0.2] } },
    { methods: ['esta', 'sn-net'] },
    { methods: ['adapt-then-sn-net'] },
    { evaluation: { deploy_by: 'validation' } },
    { evaluation: { leave_out_beaten: true } },
  ]) {
    const problems = await of(more);
    assert.match(problems.join('\n'), /^data set image-folder: no validation images[^\n]*$/, JSON.stringify(more));
  }
});

test('few-shot images are looked at for the seeds of all settings', async (t) => {
  const folder = await imageFolder(t);
  const data = { ...folder, training_list: path.join(folder.root, 'list-{seed}.txt') };
  const seeded = (seed: number) => experiment({ data, seeds: [seed], training: { batch_size: 1 } });
  const first = (await inputProblems(seeded(7)))[0]!;
  assert.match(first, /^data set image-folder: .*list-7\.txt/);
  const variants = [{ name: 'v', experiment: seeded(8) }];
  assert.match((await inputProblems(seeded(7), variants))[0]!, /list-8\.txt/);
});

test('all problems are told at once, before anything is written', async () => {
  const data = ['one', 'two'].map((name) => ({ kind: 'image-folder', name, root: `/nowhere/${name}` }));
  const refused = (message: string) => (error: unknown) => {
    assert.ok(error instanceof RequestError);
    assert.equal(error.message, message);
    assert.match(error.hint!, /^Nothing was trained or written\. esta data list/);
    return true;
  };
  await assert.rejects(
    refuseWrongInputs(experiment({ data }), []),
    refused(
      '2 problems with the data:\n  data set one: /nowhere/one is not there\n  data set two: /nowhere/two is not there',
    ),
  );
  await assert.rejects(
    refuseWrongInputs(experiment({ data: data.slice(1) }), []),
    refused('data set two: /nowhere/two is not there'),
  );
  await refuseWrongInputs(experiment(), []);
});

test('a plan lists what is not there once; only what is there and cannot be used is wrong', async () => {
  const missing = experiment({ data: { kind: 'image-folder', root: '/nowhere' } });
  const plan = await planOf(missing, '/runs/x');
  const there = 'data set image-folder: /nowhere is not there';
  assert.deepEqual(await checkedPlan(plan, missing), { plan, exitStatus: 0 });
  assert.deepEqual(plan.missing, [there]);
  const large = experiment({ training: { batch_size: 11 } });
  const checked = await checkedPlan({ ...(await planOf(large, '/runs/x')), missing: ['weights'] }, large);
  assert.equal(checked.exitStatus, 2);
  assert.equal(checked.plan.missing[0], 'weights');
  assert.ok(checked.plan.missing[1]!.startsWith(batchProblem) && checked.plan.missing.length === 2);
  const finished = await planOf(missing, '/runs/x', [], { finished: new Set(plan.trials.map(({ name }) => name)) });
  assert.deepEqual(finished.missing, [], 'what is finished needs nothing');
  assert.deepEqual(await checkedPlan(finished, missing), { plan: finished, exitStatus: 0 });
  const variants = [{ name: 'v', experiment: large }];
  assert.equal((await checkedPlan(plan, experiment(), variants)).exitStatus, 2);
});

test('bins and steps that the space has no stitches for are refused before anything is read', async () => {
  const refused = async (more: object, message: RegExp) => {
    const given = experiment(more);
    const expected = { name: 'RequestError', message };
    await assert.rejects(refuseWrongInputs(given, []), expected);
    await assert.rejects(checkedPlan(await planOf(given, '/nowhere'), given), expected);
    // What a study compares counts, not the experiment as it is.
    await assert.rejects(refuseWrongInputs(experiment(), [{ name: 'v', experiment: given }]), expected);
    await refuseWrongInputs(given, [{ name: 'v', experiment: experiment() }]);
  };
  await refused({ sampling: { bin_edges: [1, 0] } }, /^sampling\.bin_edges: expected a stitch and a dearer one/);
  // A window of one block: two anchors and twelve stitches, of which one teaches.
  const few = { stitching: { kernel: 1 }, sampling: { stitches_per_step: 14, bins: 14 } };
  await refused(few, /^sampling\.stitches_per_step: expected at most 13, the stitches that can be drawn, received 14$/);
  await refuseWrongInputs(experiment({ ...few, distillation: { enabled: false } }), []);
  await refuseWrongInputs(experiment({ ...few, methods: ['anchor-lora'] }), []);
});
