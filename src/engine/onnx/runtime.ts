/** ONNX Runtime, which does not report home. All that computes with it imports it from here. */
import './no-telemetry.js'; // modules are evaluated in the order of their imports
import { createRequire } from 'node:module';
import type * as ort from 'onnxruntime-node';
import { runtimeVariable } from '../cuda/variables.js';

/** The one that `esta engine install --cuda` has brought, in a process that was started for it. */
const loaded = createRequire(import.meta.url)(process.env[runtimeVariable] ?? 'onnxruntime-node') as typeof ort;

export const { InferenceSession, Tensor, env } = loaded;
export type InferenceSession = ort.InferenceSession;
export type Tensor = ort.Tensor;
