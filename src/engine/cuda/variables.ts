/**
 * What a process that computes with CUDA is started with: the loader of the system reads LD_LIBRARY_PATH once, Node the size
 * of its pool, and a process holds one ONNX Runtime.
 */
import { cudaFolder, installedCuda, runtimeIn } from './installed.js';

/** Names the package onnxruntime-node that this process loads. */
export const runtimeVariable = 'ESTA_ONNXRUNTIME';

/**
 * Threads of Node's pool, which runs programs on the card and decodes images: as many as loaders have images in work at once
 * (batch-worker.ts: 4 in each of 4), and some for programs, which would wait behind the images otherwise.
 */
const poolThreads = 24;

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
    UV_THREADPOOL_SIZE: environment['UV_THREADPOOL_SIZE'] ?? `${poolThreads}`,
  };
}

/** Whether this process was started to compute with CUDA. */
export function startedForCuda(environment: NodeJS.ProcessEnv = process.env): boolean {
  return environment[runtimeVariable] !== undefined;
}
