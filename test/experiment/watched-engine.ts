/** An engine that shows what is computed on, for tests of what a run does with its settings. */
import type { Engine, Value } from '../../src/engine/engine.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { float32, type NdArray } from '../../src/shared/arrays.js';

/** One run of a program. */
export interface Call {
  /** Names the program: "teacher", "step of stitch 4 ...", "stitch 4 accuracy", "sweep of stitches 0,1". */
  readonly program: string;
  /** The inputs that are tensors by themselves, such as `images`, `labels` and `rate`. */
  readonly inputs: Readonly<Record<string, NdArray>>;
  /** As `inputs`: `measures` of a step are its loss, its saliency, and more. */
  readonly outputs: Readonly<Record<string, NdArray>>;
}

/**
 * @param onCall gives the values that take the place of the output `correct` of programs that tell or count right answers, or
 *   undefined to leave it
 */
export async function watchedEngine(onCall: (call: Call) => readonly number[] | undefined): Promise<Engine> {
  const engine = await createOnnxEngine({ threads: 1 });
  const isValue = (input: unknown): input is Value => typeof input === 'object' && input !== null && 'storage' in input;
  const arraysOf = async (values: object) => {
    const arrays: Record<string, NdArray> = {};
    for (const [name, value] of Object.entries(values)) if (isValue(value)) arrays[name] = await engine.get(value);
    return arrays;
  };
  const compile = (program: string, fn: never) => {
    const compiled = engine.compile(program, fn) as (inputs: object) => Promise<Record<string, Value>>;
    return async (inputs: object) => {
      const given = await arraysOf(inputs);
      const outputs = await compiled(inputs);
      const correct = onCall({ program, inputs: given, outputs: await arraysOf(outputs) });
      if (!correct) return outputs;
      const { shape } = outputs['correct']!;
      return { ...outputs, correct: engine.put(float32(shape, Float32Array.from(correct))) };
    };
  };
  return { ...engine, compile } as unknown as Engine;
}
