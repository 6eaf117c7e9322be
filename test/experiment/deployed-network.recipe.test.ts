/** What a run has deployed works on its own: as a classifier, and as an ONNX file. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import * as ort from 'onnxruntime-node';
import sharp from 'sharp';
import type { ImageDatasetConfig } from '../../src/config/schema/dataset.js';
import { trialsOf } from '../../src/config/trials.js';
import { loadDataset } from '../../src/data/load.js';
import { predict } from '../../src/evaluation/predict.js';
import { type DeployedNetwork, openDeployed } from '../../src/experiment/deployed/deployed-network.js';
import { onnxModelOf } from '../../src/experiment/deployed/export-network.js';
import type { Budget } from '../../src/shared/costs/budget.js';
import { miniature } from './miniature.js';

// Images that need no resizing, so that single images are prepared exactly as batches are.
const preprocessing = { resize: 64, crop: 64 };
const methods = ['esta', 'sn-net', 'adapt-then-stitch', 'adapt-then-sn-net', 'anchor-lora'] as const;

test('what is deployed works on its own', async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment({ preprocessing, methods });
  const results = await mini.run(experiment, 'run');
  const folder = path.join(mini.folder, 'run');
  const { splits } = await loadDataset(trialsOf(experiment)[0]!.dataset as ImageDatasetConfig, mini.cacheFolder, {
    seed: 0,
  });
  const samples = splits.test;
  const files = samples.map(({ file }) => file);

  await t.test('with the accuracy that the run reports, whatever the method', async () => {
    for (const { method, stitches } of results) {
      for (const { id, accuracy } of stitches.slice(-3)) {
        const network = await openDeployed(folder, { trial: `species-${method}-seed0`, stitch: id });
        const predictions = await predict(mini.engine, network, files, 1);
        const right = predictions.filter(({ top }, index) => top[0]!.class === samples[index]!.label).length;
        assert.equal((100 * right) / samples.length, accuracy, `${method}, stitch ${id}`);
        assert.equal(predictions[0]!.top[0]!.name, network.classes[predictions[0]!.top[0]!.class]);
      }
    }
  });

  await t.test('as a file that takes plain pixels and gives the same logits', async () => {
    const esta = results.find(({ method }) => method === 'esta')!;
    const stitched = esta.stitches.find((stitch) => stitch.path.length === 2)!;
    const network = await openDeployed(folder, { trial: 'species-esta-seed0', stitch: stitched.id });
    const { model, images } = onnxModelOf(network, 1);
    assert.deepEqual(images, [1, 64, 64, 3]);

    const pixels = Float32Array.from(await sharp(files[0]!).removeAlpha().raw().toBuffer());
    const session = await ort.InferenceSession.create(model);
    const { logits } = await session.run({ images: new ort.Tensor('float32', pixels, [1, 64, 64, 3]) });
    const [expected] = await predict(mini.engine, network, [files[0]!], 1);
    const size = Math.max(...expected!.logits.map(Math.abs));
    for (const [index, value] of expected!.logits.entries()) {
      const error = Math.abs((logits!.data[index] as number) - value) / size;
      assert.ok(error < 1e-4, `class ${index}: relative error ${error}`);
    }
    assert.ok(Buffer.from(model).toString('latin1').includes(JSON.stringify(network.classes)));
    await session.release();
  });
});

test('the budget buys the dearest stitch that it can pay for; what is not there is named', async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment({ training: { epochs: 1 } });
  const [result] = await mini.run(experiment, 'run');
  const folder = path.join(mini.folder, 'run');
  const byCost = [...result!.stitches].sort((a, b) => a.flops - b.flops);
  const chosen = async (choice: object): Promise<DeployedNetwork['result']['id']> =>
    (await openDeployed(folder, choice)).result.id;
  const flops = (limit: number): Budget => ({ cost: 'flops', limit });
  assert.equal(await chosen({}), byCost.at(-1)!.id);
  assert.equal(await chosen({ budget: flops(byCost[1]!.flops) }), byCost[1]!.id);
  assert.equal(await chosen({ budget: flops((byCost[0]!.flops + byCost[1]!.flops) / 2) }), byCost[0]!.id);
  await assert.rejects(chosen({ budget: flops(1) }), { name: 'RequestError', hint: /^Deployed are \d+ \(/ });
  await assert.rejects(chosen({ stitch: 999 }), { name: 'RequestError', message: /stitch 999 is not deployed/ });
  await assert.rejects(chosen({ trial: 'x' }), { name: 'RequestError', hint: /species-esta-seed0/ });
  await assert.rejects(openDeployed(path.join(mini.folder, 'none')), {
    name: 'RequestError',
    message: /does not exist/,
  });
  await mini.run(experiment, 'second');
  await assert.rejects(openDeployed(mini.folder), { name: 'RequestError', message: /holds 2 run folders/ });
});
