/** What is said of an exported file beside its network, with files that answer as a test says. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import type { Engine, Value } from '../../../src/engine/engine.js';
import type { ModelFile } from '../../../src/engine/onnx/files/model-file.js';
import type { DeployedNetwork } from '../../../src/experiment/deployed/deployed-network.js';
import { comparisonText } from '../../../src/experiment/deployed/export-file.js';
import { accuracyOfFile, plainPixels, refuseOverflow, verify } from '../../../src/experiment/deployed/verification.js';
import { type Float32NdArray, float32 } from '../../../src/shared/arrays.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { hostEngine } from '../trial/host-engine.js';

const preprocessing = {
  ...{ resize: { size: 4, keepAspect: true }, crop: 4, interpolation: 'bilinear' as const },
  ...{ mean: [0.5, 0.5, 0.5] as const, std: [0.25, 0.5, 1] as const },
};

/** A network whose logits are the mean of each channel of what it sees, and a file that answers `answer` of the pixels. */
function comparison(answer: (means: readonly number[]) => readonly number[]) {
  const engine = hostEngine({});
  const meansOf = ({ data }: Float32NdArray) =>
    [0, 1, 2].map(
      (channel) => data.filter((_, at) => at % 3 === channel).reduce((a, b) => a + b, 0) / (data.length / 3),
    );
  let freed = 0;
  const network = {
    preprocessing,
    load: () => ({
      run: async (input: Value) => {
        const seen = (await engine.get(input)) as Float32NdArray;
        return engine.put(float32([1, 3], Float32Array.from(meansOf(seen))));
      },
      free: () => {
        freed++;
      },
    }),
  } as unknown as DeployedNetwork;
  const file = {
    run: async (images: Float32NdArray) => {
      const [count] = images.shape as [number];
      const size = images.data.length / count;
      const rows = Array.from({ length: count }, (_, row) =>
        answer(meansOf(float32([size], images.data.subarray(row * size, (row + 1) * size)))),
      );
      return float32([count, 3], Float32Array.from(rows.flat()));
    },
  } as unknown as ModelFile;
  return { engine: engine as Engine, live: engine.live, network, file, freed: () => freed };
}

const seen = (means: readonly number[]) => means.map((mean, at) => (mean / 255 - 0.5) / [0.25, 0.5, 1][at]!);

test('the same network agrees; the device is empty afterwards', async () => {
  const { engine, live, network, file, freed } = comparison(seen);
  const { largestDifference, largestLogit, ...rest } = await verify(file, network, [], engine);
  assert.deepEqual(rest, { images: 4, of: 'random pixels', sameClass: 4 });
  assert.ok(largestDifference < 1e-5);
  // Means of 16 values from 0 to 255 are about 127.5 +- 18: 0 +- 0.3 of what the first channel sees.
  assert.ok(largestLogit > 0.01 && largestLogit < 1.2, `${largestLogit}`);
  assert.deepEqual([live.size, freed()], [0, 1]);
});

test('a network that differs is told by its largest difference and its classes', async (t) => {
  const folder = temporaryFolder(t);
  const samples = await Promise.all(
    [
      { r: 255, g: 0, b: 0 },
      { r: 0, g: 255, b: 255 },
    ].map(async (background, label) => {
      const file = path.join(folder, `${label}.png`);
      await sharp({ create: { width: 4, height: 4, channels: 3, background } })
        .png()
        .toFile(file);
      return { file, label };
    }),
  );
  // Logits 2, -1, -0.5 of the first image and -2, 1, 0.5 of the second; the file has 3 more of the last class.
  const { engine, network, file } = comparison((means) => seen(means).map((logit, at) => logit + (at === 2 ? 3 : 0)));
  const found = await verify(file, network, samples, engine);
  const { largestDifference, largestLogit } = found;
  assert.ok(Math.abs(largestDifference - 3) < 1e-4 && Math.abs(largestLogit - 2) < 1e-4, JSON.stringify(found));
  assert.deepEqual([found.images, found.of, found.sameClass], [2, 'test images', 0]);
  assert.equal(
    comparisonText(found),
    'largest difference of a logit 3.0 (logits up to 2.00), same class in 0 of 2 test images',
  );
  assert.match(comparisonText({ ...found, of: 'random pixels' }), /in 0 of 2 images of random pixels$/);
  const right = comparison(seen);
  const shown: [label: string, ...numbers: number[]][] = [];
  const progress = {
    ...silentProgress,
    start: (label: string, total: number) => void shown.push([label, total]),
    update: (done: number) => void shown.push(['update', done]),
    stop: () => void shown.push(['stop']),
  };
  assert.equal(await accuracyOfFile(right.file, network, samples, progress), 100);
  assert.deepEqual(shown, [['test images', 1], ['update', 1], ['stop']]);
  const wrong = samples.map(({ file }) => ({ file, label: 0 }));
  assert.equal(await accuracyOfFile(right.file, network, wrong, silentProgress), 50);
});

test('pixels as a file takes them: only resized and cropped', () => {
  const { mean, std, ...rest } = plainPixels(preprocessing);
  const { mean: _, std: __, ...before } = preprocessing;
  assert.deepEqual([rest, mean, std], [before, [0, 0, 0], [1 / 255, 1 / 255, 1 / 255]]);
});

test('a file that answers with no numbers is of no use', () => {
  refuseOverflow('a.onnx', 0.5);
  for (const difference of [Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => refuseOverflow('a.onnx', difference), {
      ...{ name: 'TrialError', message: new RegExp(`^a\\.onnx is of no use: a logit differs by ${difference}`) },
      hint: /--precision float32/,
    });
  }
});
