/**
 * A second runtime for exported files: OpenCV's dnn module, as WebAssembly. It shares no code with ONNX Runtime.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Tensor } from '@tensorflow/tfjs';
import { exportModel } from '../../../src/engine/onnx/files/export.js';
import type { Float32NdArray } from '../../../src/shared/arrays.js';

interface Mat {
  readonly data32F: Float32Array;
  delete(): void;
}

interface Net {
  setInput(blob: Mat): void;
  forward(output: ''): Mat;
  delete(): void;
}

/** What is used of it. */
interface OpenCv {
  onRuntimeInitialized?: () => void;
  readonly Mat?: unknown;
  readonly CV_32F: number;
  readonly Size: new (width: number, height: number) => object;
  readonly Scalar: new () => object;
  FS_createDataFile(folder: '/', name: string, content: Uint8Array, read: true, write: true, own: false): void;
  FS_unlink(file: string): void;
  matFromArray(rows: number, columns: number, type: number, values: ArrayLike<number>): Mat;
  blobFromImage(image: Mat, scale: 1, size: object, mean: object, swap: false, crop: false, type: number): Mat;
  readNetFromONNX(file: string): Net;
  /** What it throws is the address of an exception. */
  exceptionFromPtr(thrown: number): { readonly msg: string };
}

/** Runs an ONNX file on images [batch, side, side, 3], values from 0 to 255. @returns what it gives, flat */
export type OpenCvRuntime = (file: string, images: Float32NdArray) => Promise<Float32Array>;

/** Undefined where the package is not installed. */
export async function openCvRuntime(): Promise<OpenCvRuntime | undefined> {
  const cv = load();
  if (!cv) return undefined;
  if (!cv.Mat) {
    await new Promise<void>((resolve) => {
      cv.onRuntimeInitialized = resolve;
    });
  }
  const answer = (model: Uint8Array, input: Mat): Mat => {
    cv.FS_createDataFile('/', 'model.onnx', model, true, true, false);
    const net = cv.readNetFromONNX('/model.onnx');
    cv.FS_unlink('/model.onnx');
    net.setInput(input);
    const output = net.forward('');
    net.delete();
    return output;
  };
  const run = async (file: string, { shape, data }: Float32NdArray) => {
    // Its JavaScript makes no array of four dimensions but [1, channels, height, width] of an image; a network reshapes it.
    const plane = cv.matFromArray(1, data.length, cv.CV_32F, data);
    const blob = cv.blobFromImage(plane, 1, new cv.Size(data.length, 1), new cv.Scalar(), false, false, cv.CV_32F);
    const images = answer(reshapingModel(data.length, shape), blob);
    const output = answer(await readFile(file), images);
    const values = output.data32F.slice();
    for (const mat of [plane, blob, images, output]) mat.delete();
    return values;
  };
  return (file, images) =>
    run(file, images).catch((thrown: unknown) => {
      throw typeof thrown === 'number' ? new Error(cv.exceptionFromPtr(thrown).msg) : thrown;
    });
}

/** Not a promise of it: once it has started, the module has a `then` that gives itself, and awaiting it never ends. */
function load(): OpenCv | undefined {
  try {
    // Without types: an installation of before builds the tests as well.
    return createRequire(import.meta.url)('@techstark/opencv-js') as OpenCv;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** [1, 1, 1, length] -> `shape` */
function reshapingModel(length: number, shape: readonly number[]): Uint8Array {
  return exportModel<{ readonly row: Tensor }>({
    fn: ({ row }) => ({ images: row.reshape([...shape]) }),
    inputs: () => ({ row: { shape: [1, 1, 1, length], dtype: 'float32' } }),
    batch: 1,
    operators: 'standard',
    precision: 'float32',
    toHalf: () => new Uint16Array(),
    metadata: {},
  });
}
