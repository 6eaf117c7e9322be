/**
 * What a process that computes with CUDA is started with: the loader of the system reads LD_LIBRARY_PATH once, and a
 * process holds one ONNX Runtime.
 */
import { cudaFolder, installedCuda, runtimeIn } from './installed.js';

/** Names the package onnxruntime-node that this process loads. */
export const runtimeVariable = 'ESTA_ONNXRUNTIME';

/** @param folders of CUDA's libraries, from `assess` */
export function cudaVariables(
  folders: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const folder = cudaFolder(environment);
  const path = [environment['LD_LIBRARY_PATH'], ...folders].filter((each) => each !== undefined && each !== '');
  return {
    ...(installedCuda(folder) && { [runtimeVariable]: runtimeIn(folder) }),
    ...(folders.length > 0 && { LD_LIBRARY_PATH: path.join(':') }),
  };
}

/** Whether this process was started to compute with CUDA. */
export function startedForCuda(environment: NodeJS.ProcessEnv = process.env): boolean {
  return environment[runtimeVariable] !== undefined;
}
