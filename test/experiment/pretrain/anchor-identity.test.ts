/** Files of pretrained anchors are taken for done only where they were made as is asked for now. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ImagePretraining, pretrainingSchema } from '../../../src/config/schema/pretraining.js';
import type { Dataset } from '../../../src/data/dataset.js';
import type { Engine } from '../../../src/engine/engine.js';
import { anchorFile, anchorIdentities, refuseOtherAnchor } from '../../../src/experiment/pretrain/anchor-identity.js';
import { writeSafetensors } from '../../../src/models/pretrained/formats/safetensors.js';
import { float32 } from '../../../src/shared/arrays.js';
import { RequestError } from '../../../src/shared/errors.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';

const engine = { name: 'onnxruntime', device: 'cpu, 2 threads', precision: 'float32' } as unknown as Engine;

async function family(t: TestContext) {
  const output = await temporaryFolder(t);
  const image = path.join(output, '0.png');
  await writeFile(image, 'x');
  const samples = [{ file: image, label: 0 }];
  const dataset: Dataset = { name: 'd', classes: ['a', 'b'], splits: { train: samples, test: samples } };
  const config = (changes: object = {}): ImagePretraining =>
    pretrainingSchema.parse({
      name: 'family',
      data: { kind: 'image-folder', root: output, image_size: 32 },
      anchors: [
        { name: 'Ti', architecture: 'vit_mini_tiny' },
        { name: 'S', architecture: 'vit_mini_small', epochs: 7, learning_rate: 0.5 },
      ],
      ...{ training: { epochs: 9, learning_rate: 0.25 }, output, ...changes },
    }) as ImagePretraining;
  const identityOf = async (config: ImagePretraining, index = 0) =>
    (await anchorIdentities(config, dataset, engine))[index]!;
  const write = async (config: ImagePretraining, metadata: Record<string, string>) =>
    writeSafetensors(anchorFile(config, config.anchors[0]!), { w: float32([1]) }, { metadata });
  const refused = async (now: ImagePretraining, problem: RegExp) =>
    assert.rejects(refuseOtherAnchor(now, now.anchors[0]!, await identityOf(now)), (error) => {
      assert.ok(error instanceof RequestError);
      assert.ok(error.message.startsWith(`${output}/vit_mini_tiny.safetensors was pretrained in another way:\n  `));
      assert.match(error.message, problem);
      assert.match(error.hint!, /--set output=DIR/);
      return true;
    });
  const accepted = async (now: ImagePretraining) => refuseOtherAnchor(now, now.anchors[0]!, await identityOf(now));
  return { output, config, identityOf, write, refused, accepted };
}

test('an anchor depends on its own epochs and rate, on the settings, the images, and what computes', async (t) => {
  const { config, identityOf, output } = await family(t);
  const [tiny, small] = [await identityOf(config()), await identityOf(config(), 1)];
  assert.deepEqual([tiny.training.epochs, tiny.training.learning_rate], [9, 0.25]);
  assert.deepEqual([small.training.epochs, small.training.learning_rate], [7, 0.5]);
  assert.deepEqual(tiny.anchor, { name: 'Ti', architecture: 'vit_mini_tiny' });
  const { names_and_sizes, ...data } = tiny.data;
  assert.deepEqual(data, {
    ...{ kind: 'image-folder', image_size: 32, classes: ['a', 'b'] },
    images: { train: 1, validation: 0, test: 1 },
  });
  assert.match(names_and_sizes!, /^[0-9a-f]{16}$/);
  const { numerics: _, ...computation } = tiny.computation!;
  assert.deepEqual(computation, { engine: 'onnxruntime', device: 'cpu', precision: 'float32' });
  assert.ok(!('family' in tiny), 'one alone does not depend on others');
  const together = { epochs: 9, together: { steps: 2 } };
  const anchors = config().anchors.map(({ name, architecture }) => ({ name, architecture }));
  assert.deepEqual((await identityOf(config({ training: together, anchors }))).family, anchors);
  assert.equal(anchorFile(config(), config().anchors[1]!), path.join(output, 'vit_mini_small.safetensors'));
});

test('weights that a training starts from are told by their contents, not by where they lie', async (t) => {
  const { config, identityOf, output } = await family(t);
  const from = (checkpoint: string) =>
    identityOf(config({ anchors: [{ name: 'Ti', architecture: 'vit_mini_tiny', checkpoint }] }));
  const [there, moved, other] = ['there', 'moved', 'other'].map((name) => path.join(output, `${name}.safetensors`));
  for (const file of [there!, moved!]) await writeSafetensors(file, { w: float32([1]) });
  await writeSafetensors(other!, { w: float32([2]) });
  const { checkpoint } = (await from(there!)).anchor;
  assert.match(checkpoint!, /^[0-9a-f]{16}$/);
  assert.deepEqual(await from(moved!), await from(there!));
  assert.notEqual((await from(other!)).anchor.checkpoint, checkpoint);
  assert.notEqual((await from('embedded')).anchor.checkpoint, checkpoint);
  await assert.rejects(from(path.join(output, 'none.safetensors')), /weights .*none\.safetensors are not there/);
});

test('a file of the same identity is taken for done, another is refused with the difference', async (t) => {
  const { config, identityOf, write, refused, accepted } = await family(t);
  await accepted(config());
  await write(config(), { identity: JSON.stringify(await identityOf(config())), epochs: '9' });
  await accepted(config());
  await refused(config({ training: { epochs: 5, learning_rate: 0.25 } }), /training\.epochs: there 9, now 5/);
  await refused(config({ seed: 3 }), /seed: there 0, now 3/);
});

test('a file that does not say its identity is compared with the record beside it, else by its epochs', async (t) => {
  const { output, config, write, refused, accepted } = await family(t);
  await write(config(), { epochs: '9' });
  await accepted(config({ seed: 1 }));
  await refused(config({ training: { epochs: 8 } }), /\n {2}epochs: there 9, now 8$/);
  await mkdir(output, { recursive: true });
  await writeFile(path.join(output, 'pretraining.json'), JSON.stringify({ config: config() }));
  await accepted(config());
  await refused(config({ seed: 1 }), /seed: there 0, now 1/);
  const others = JSON.stringify({ config: { ...config(), anchors: config().anchors.slice(1) } });
  await writeFile(path.join(output, 'pretraining.json'), others);
  await accepted(config({ seed: 1 }));
});
