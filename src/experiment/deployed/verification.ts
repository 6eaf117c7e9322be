/** Whether an exported file is the same network: its logits beside those of `esta predict`, on the same pixels. */

import { openBatches } from '../../data/batches/batches.js';
import type { Sample } from '../../data/dataset.js';
import { prepareEvaluationImage } from '../../data/images/evaluation-image.js';
import type { Preprocessing } from '../../data/images/preprocessing.js';
import type { Engine } from '../../engine/engine.js';
import type { ModelFile } from '../../engine/onnx/files/model-file.js';
import { type Float32NdArray, float32 } from '../../shared/arrays.js';
import { TrialError } from '../../shared/errors.js';
import type { Progress } from '../../shared/progress.js';
import { Random } from '../../shared/random.js';
import type { DeployedNetwork } from './deployed-network.js';

export interface Verification {
  /** Images compared. */
  readonly images: number;
  /** Random pixels where no image of the data set can be read. */
  readonly of: 'test images' | 'random pixels';
  /** Largest absolute difference of a logit, and the largest logit. */
  readonly largestDifference: number;
  readonly largestLogit: number;
  /** Images whose most probable class is the same. */
  readonly sameClass: number;
}

/** @param samples images to compare; none: random pixels */
export async function verify(
  model: ModelFile,
  network: DeployedNetwork,
  samples: readonly Sample[],
  engine: Engine,
): Promise<Verification> {
  const { preprocessing } = network;
  const pixels =
    samples.length > 0
      ? await Promise.all(samples.map(({ file }) => prepareEvaluationImage(file, plainPixels(preprocessing))))
      : randomPixels(preprocessing.crop);
  const classifier = network.load(engine);
  let [largestDifference, largestLogit, sameClass] = [0, 0, 0];
  for (const image of pixels) {
    const input = engine.put(normalised(image, preprocessing));
    const output = await classifier.run(input);
    const expected = (await engine.get(output)).data;
    engine.free([input, output]);
    const { data: actual } = await model.run(image);
    for (const [index, logit] of expected.entries()) {
      largestDifference = Math.max(largestDifference, Math.abs(logit - actual[index]!));
      largestLogit = Math.max(largestLogit, Math.abs(logit));
    }
    if (largestAt(expected) === largestAt(actual)) sameClass++;
  }
  classifier.free();
  const of = samples.length > 0 ? 'test images' : 'random pixels';
  return { images: pixels.length, of, largestDifference, largestLogit, sameClass };
}

/**
 * Numbers of half precision end at 65,504.
 * @param difference of a logit of the file from that of the stitch
 * @throws TrialError where one of them is no number
 */
export function refuseOverflow(file: string, difference: number): void {
  if (Number.isFinite(difference)) return;
  throw new TrialError(
    `${file} is of no use: a logit differs by ${difference} from that of the stitch, so that one of them is no number`,
    'Export it with --precision float32; where that does not help, train it with a lower learning rate.',
  );
}

/** Percent of the samples that the file classifies rightly, prepared as a run prepares them for its evaluation. */
export async function accuracyOfFile(
  model: ModelFile,
  { preprocessing }: Pick<DeployedNetwork, 'preprocessing'>,
  samples: readonly Sample[],
  progress: Progress,
): Promise<number> {
  const loader = await openBatches({ samples, preprocessing: plainPixels(preprocessing), batchSize: 32, threads: 1 });
  progress.start('test images', loader.batchesPerEpoch);
  let right = 0;
  try {
    for await (const { images, labels, index } of loader.batches()) {
      const logits = await model.run(images);
      const classes = logits.shape[1]!;
      for (const [row, label] of labels.data.entries()) {
        if (largestAt(logits.data.subarray(row * classes, (row + 1) * classes)) === label) right++;
      }
      progress.update(index + 1);
    }
  } finally {
    progress.stop();
    await loader.close();
  }
  return (100 * right) / samples.length;
}

/** Resized and cropped, with values from 0 to 255 as exported files take them. */
export function plainPixels(preprocessing: Preprocessing): Preprocessing {
  return { ...preprocessing, mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] };
}

function normalised({ shape, data }: Float32NdArray, { mean, std }: Preprocessing): Float32NdArray {
  return float32(
    shape,
    data.map((value, index) => (value / 255 - mean[index % 3]!) / std[index % 3]!),
  );
}

function randomPixels(side: number): Float32NdArray[] {
  const random = Random.of(0, 'random pixels');
  return Array.from({ length: 4 }, () =>
    float32(
      [1, side, side, 3],
      Float32Array.from({ length: side * side * 3 }, () => Math.floor(256 * random.uniform())),
    ),
  );
}

function largestAt(values: ArrayLike<number>): number {
  let at = 0;
  for (let index = 1; index < values.length; index++) if (values[index]! > values[at]!) at = index;
  return at;
}
