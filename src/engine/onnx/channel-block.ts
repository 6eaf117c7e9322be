/** How many channels ONNX Runtime's blocked convolutions (kernels/blocked-depthwise.ts) take at once on this processor. */

import { Graph } from './graph.js';
import * as ort from './runtime.js';

let known: Promise<number | undefined> | undefined;

/** 16 with AVX-512, 8 with AVX; undefined where it has no such kernels. Found out once in a process, in milliseconds. */
export function channelBlock(): Promise<number | undefined> {
  known ??= measure();
  return known;
}

/** Channels are filled up to whole blocks: four of them come back as many as a block has. */
async function measure(): Promise<number | undefined> {
  const channels = 4;
  const graph = new Graph();
  const x = graph.input('x', [1, 1, 1, channels], 'float32');
  const attributes = { channels_last: { int: 1 } };
  const y = graph.node('ReorderInput', [x], { shape: [1, -1, 1, 1] }, { domain: 'com.microsoft.nchwc', attributes });
  const { model } = graph.finish(new Map([['y', y]]));
  try {
    const session = await ort.InferenceSession.create(model, { logSeverityLevel: 4 });
    const { y: reordered } = await session.run({ x: new ort.Tensor('float32', new Float32Array(channels), x.shape) });
    await session.release();
    const block = reordered!.dims[1]!;
    return block > channels ? block : undefined;
  } catch {
    return undefined; // a version without these operators
  }
}
