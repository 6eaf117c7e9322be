/** An ONNX file of a decoder with past, run by ONNX Runtime on the CPU with its own optimisations, as users run it. */
import { availableParallelism } from 'node:os';
import { type Float32NdArray, float32 } from '../../../shared/arrays.js';
import * as ort from '../runtime.js';

export interface Decoder {
  /**
   * Reads on.
   * @param ids of the texts side by side, all of one length
   * @param absent tokens at the front of each text that are padding, of all that were read; default none
   * @returns logits [texts, tokens, vocabulary]
   */
  read(ids: readonly (readonly number[])[], absent?: readonly number[]): Promise<Float32NdArray>;
}

export interface DecoderFile {
  /** Starts with nothing read. */
  begin(): Decoder;
  close(): Promise<void>;
}

export async function openDecoderFile(file: string): Promise<DecoderFile> {
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: availableParallelism(),
    logSeverityLevel: 3,
  });
  const shapes = new Map(session.inputMetadata.flatMap((meta) => (meta.isTensor ? [[meta.name, meta.shape]] : [])));
  const kept = session.inputNames.filter((name) => name.startsWith('past_key_values.'));
  return {
    begin() {
      let past: Record<string, ort.Tensor> = {};
      let count = 0;
      return {
        async read(ids, absent = ids.map(() => 0)) {
          const [texts, fresh] = [ids.length, ids[0]!.length];
          const int64s = (length: number, at: (text: number, token: number) => number) => {
            const values = ids.flatMap((_, text) => Array.from({ length }, (_, token) => BigInt(at(text, token))));
            return new ort.Tensor('int64', BigInt64Array.from(values), [texts, length]);
          };
          const empty = (name: string) => {
            const [, heads, , width] = shapes.get(name) as number[];
            return new ort.Tensor('float32', new Float32Array(0), [texts, heads!, 0, width!]);
          };
          const results = await session.run({
            input_ids: int64s(fresh, (text, token) => ids[text]![token]!),
            attention_mask: int64s(count + fresh, (text, token) => (token < absent[text]! ? 0 : 1)),
            position_ids: int64s(fresh, (text, token) => Math.max(0, count + token - absent[text]!)),
            ...Object.fromEntries(kept.map((name) => [name, past[name] ?? empty(name)])),
          });
          past = Object.fromEntries(kept.map((name) => [name, results[name.replace('past_key_values', 'present')]!]));
          count += fresh;
          const { logits } = results;
          return float32(logits!.dims, logits!.data as Float32Array);
        },
      };
    },
    close: () => session.release(),
  };
}
