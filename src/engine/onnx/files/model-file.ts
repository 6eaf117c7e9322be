/** An ONNX file that classifies images, run by ONNX Runtime on the CPU with its own optimisations, as users run it. */
import { availableParallelism } from 'node:os';
import { type Float32NdArray, float32, sizeOf } from '../../../shared/arrays.js';
import * as ort from '../runtime.js';

export interface ModelFile {
  /**
   * @param images [images, side, side, 3], RGB from 0 to 255; a file for batches of one size is run as often as needed
   * @returns logits [images, classes]
   */
  run(images: Float32NdArray): Promise<Float32NdArray>;
  close(): Promise<void>;
}

/** @param batch the one size of batches that the file takes; left out: any */
export async function openModelFile(file: string, batch?: number): Promise<ModelFile> {
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: availableParallelism(),
    logSeverityLevel: 3,
  });
  const runOnce = async (data: Float32Array, shape: readonly number[]) => {
    const { logits } = await session.run({ images: new ort.Tensor('float32', data, shape) });
    return float32(logits!.dims, logits!.data as Float32Array);
  };
  return {
    async run({ shape: [count = 0, ...rest], data }) {
      const size = batch ?? count;
      const pixels = sizeOf(rest);
      const rows: Float32Array[] = [];
      let classes = 0;
      for (let first = 0; first < count; first += size) {
        const whole = new Float32Array(size * pixels); // images that the last batch lacks are black
        whole.set(data.subarray(first * pixels, (first + size) * pixels));
        const logits = await runOnce(whole, [size, ...rest]);
        classes = logits.shape[1]!;
        rows.push(logits.data.subarray(0, Math.min(size, count - first) * classes));
      }
      const all = new Float32Array(count * classes);
      for (const [index, row] of rows.entries()) all.set(row, index * size * classes);
      return float32([count, classes], all);
    },
    close: () => session.release(),
  };
}
