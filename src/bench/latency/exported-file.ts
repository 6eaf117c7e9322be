/** An exported network, opened and run as a program that deploys it would: pixels in, logits out, nothing traced anew. */
import { availableParallelism } from 'node:os';
import * as ort from '../../engine/onnx/runtime.js';
import { sizeOf } from '../../shared/arrays.js';
import { counted } from '../../shared/costs/numbers.js';
import type { Device } from '../../shared/engine-names.js';
import { RequestError } from '../../shared/errors.js';
import { Random } from '../../shared/random.js';

export interface Surroundings {
  /** Execution provider; default cpu. */
  readonly device?: Device | undefined;
  /** Threads of one operator, on a CPU; default all cores. */
  readonly threads?: number | undefined;
}

export interface ExportedFile {
  readonly file: string;
  /** Shape of the input: [batch, side, side, 3]. */
  readonly images: readonly number[];
}

export interface OpenFile {
  /** Runs it once; the logits are on the host when it ends. */
  run(): Promise<void>;
  release(): Promise<void>;
}

/** Opened with ONNX Runtime's own optimisations; the images are noise from 0 to 255. */
export async function openExported({ file, images }: ExportedFile, surroundings: Surroundings): Promise<OpenFile> {
  const { device = 'cpu', threads = availableParallelism() } = surroundings;
  const session = await ort.InferenceSession.create(file, {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const length = sizeOf(images);
  const random = Random.of(0, 'images to be timed');
  const pixels = Float32Array.from({ length }, () => 255 * random.uniform());
  const feeds = { images: new ort.Tensor('float32', pixels, images) };
  return {
    run: async () => {
      await session.run(feeds);
    },
    release: () => session.release(),
  };
}

/** For people, and to tell measurements apart: `onnxruntime 1.30.0, cpu, 2 threads`. */
export function describeRuntime({ device = 'cpu', threads = availableParallelism() }: Surroundings): string {
  const cores = device === 'cpu' ? [counted(threads, 'thread')] : [];
  return [`onnxruntime ${ort.env.versions.node ?? 'of unknown version'}`, device, ...cores].join(', ');
}

/** @throws RequestError when onnxruntime cannot compute on the device */
export async function requireDevice({ device = 'cpu' }: Surroundings): Promise<void> {
  if (device === 'cpu') return;
  // It loads TensorFlow.js, which has no part in the memory of an exported network.
  const { whyNotPlaced } = await import('../../engine/onnx/programs/placement.js');
  const reason = await whyNotPlaced(device);
  if (reason === undefined) return;
  throw new RequestError(
    `onnxruntime does not compute on ${device} here: ${reason}`,
    'Run `esta doctor` to see what is missing, or leave out the device.',
  );
}
