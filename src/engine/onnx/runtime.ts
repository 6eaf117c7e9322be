/** ONNX Runtime, which does not report home. All that computes with it imports it from here. */
import './no-telemetry.js'; // modules are evaluated in the order of their imports
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as ort from 'onnxruntime-node';
import { runtimeVariable } from '../cuda/variables.js';

/** The one that `esta engine install --cuda` has brought, in a process that was started for it. */
const required = createRequire(import.meta.url);
const name = process.env[runtimeVariable] ?? 'onnxruntime-node';
const loaded = required(name) as typeof ort;

/** Where it lies. */
export const packageFolder = path.dirname(path.dirname(required.resolve(name)));

export const { InferenceSession, Tensor, env } = loaded;
export type InferenceSession = ort.InferenceSession;
export type Tensor = ort.Tensor;
