/** Whether onnxruntime can compute on a device: unasked it silently gives the CPU what a provider does not take. */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../shared/engine-names.js';
import { messageOf } from '../../shared/errors.js';
import * as ort from './runtime.js';
import './kernels/index.js';
import { trace } from './tracer.js';

/** Why not even a small matrix product runs on the provider, on one line; undefined when it does. */
export async function whyNotPlaced(provider: Exclude<Device, 'cpu'>): Promise<string | undefined> {
  const { model } = trace(({ x }: { x: tf.Tensor }) => tf.matMul(x, x), { x: { shape: [2, 2], dtype: 'float32' } });
  ort.env.logLevel = 'fatal'; // what fails is returned; onnxruntime would write it to standard error as well
  try {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [provider],
      logSeverityLevel: 4,
      extra: { session: { disable_cpu_ep_fallback: '1' } },
    });
    await session.release();
    return undefined;
  } catch (error) {
    return readable(messageOf(error));
  }
}

/** onnxruntime's messages without the C++ functions and conditions around them. */
export function readable(message: string): string {
  const failure = /CUDA failure \d+: [^;]*/.exec(message)?.[0];
  return (failure ?? message)
    .replace(/^\/onnxruntime_src.* was false\. /s, '')
    .replace(/\s+/g, ' ')
    .trim();
}
