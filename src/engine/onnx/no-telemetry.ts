/**
 * Keeps ONNX Runtime from reporting home. Since 1.30 its native library writes a device id and a database of events below
 * the user's cache folder and sends them to Microsoft, unless this variable is set when the library starts. The variable
 * has to be set before the library loads: import this module first.
 */
import { isMainThread } from 'node:worker_threads';

const variable = 'ORT_DISABLE_TELEMETRY';

// A worker's process.env is a copy: what it sets there does not reach the native library.
if (!isMainThread && process.env[variable] !== '1') {
  throw new Error(`onnxruntime would report home from this worker: set ${variable}=1 before the worker is started`);
}
process.env[variable] = '1';
