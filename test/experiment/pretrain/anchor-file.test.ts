/** The file of an anchor can be read again, and says how its images were normalised. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { writeAnchor } from '../../../src/experiment/pretrain/anchor-file.js';
import type { AnchorIdentity } from '../../../src/experiment/pretrain/anchor-identity.js';
import { architectureNamed } from '../../../src/models/architectures.js';
import { fromScratch } from '../../../src/models/from-scratch.js';
import { loadNetwork } from '../../../src/models/pretrained/load-network.js';
import { Diverged } from '../../../src/shared/errors.js';
import { exists } from '../../../src/shared/files.js';
import { Random } from '../../../src/shared/random.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';

const identity = { data: { kind: 'image-folder', image_size: 32 } } as unknown as AnchorIdentity;

test('a weight that half precision cannot hold is told, and nothing is written', async (t) => {
  const file = path.join(temporaryFolder(t), 'vit_mini_tiny_depth4.safetensors');
  const architecture = architectureNamed('vit_mini_tiny_depth4', 32);
  const network = fromScratch(architecture).fresh(3, Random.of(0));
  for (const value of [65520, -1e30, Number.NaN]) {
    network.head.bias.data[1] = value;
    await assert.rejects(
      writeAnchor(file, architecture.name, { network, epoch: 2, accuracy: 50 }, identity),
      (error) =>
        error instanceof Diverged && error.message.includes(`head.bias holds ${Math.fround(value)} after epoch 2`),
    );
    assert.ok(!(await exists(file)));
  }
  network.head.bias.data[1] = 65519; // rounds to 65504, the largest of half precision
  await writeAnchor(file, architecture.name, { network, epoch: 2, accuracy: 50 }, identity);
  assert.equal((await loadNetwork(file, architecture)).head!.bias.data[1], 65504);
});

for (const [name, mean] of [
  ['vit_tiny_patch16_224', 0.5],
  ['convnext_mini_tiny', 0.485],
] as const) {
  test(`the normalisation of ${name} is in the file, whatever the folder is called`, async (t) => {
    const folder = path.join(temporaryFolder(t), 'dino-clip-in21k');
    await mkdir(folder);
    const file = path.join(folder, `${name}.safetensors`);
    const architecture = architectureNamed(name, 32);
    const network = fromScratch(architecture).fresh(2, Random.of(0));
    await writeAnchor(file, name, { network, epoch: 1, accuracy: 50 }, identity);
    const { preprocessing, assumed } = (await loadNetwork(file, architecture)).report;
    assert.deepEqual([preprocessing!.mean[0], assumed], [mean, undefined]);
  });
}
