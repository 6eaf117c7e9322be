/** ONNX Runtime, which does not report home. All that computes with it imports it from here. */
import './no-telemetry.js'; // modules are evaluated in the order of their imports
import * as ort from 'onnxruntime-node';

export const { InferenceSession, Tensor, env } = ort;
export type InferenceSession = ort.InferenceSession;
export type Tensor = ort.Tensor;
