/**
 * Whether this machine can have a GPU that TensorFlow uses, told without loading TensorFlow: that costs seconds and
 * hundreds of megabytes, and its log lines. It may say yes where TensorFlow then finds none, but not the other way round.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';

/** What a driver creates when it is loaded: NVIDIA's, the one of Windows in a Linux guest (WSL), AMD's. */
const linuxDevices = ['/dev/nvidiactl', '/dev/nvidia0', '/dev/dxg', '/dev/kfd'];

export interface Surroundings {
  readonly platform?: NodeJS.Platform;
  readonly environment?: NodeJS.ProcessEnv;
  readonly exists?: (file: string) => boolean;
}

export function isGpuPlausible({
  platform = process.platform,
  environment = process.env,
  exists = existsSync,
}: Surroundings = {}): boolean {
  const visible = environment['CUDA_VISIBLE_DEVICES'];
  if (visible !== undefined && visibleDevices(visible).length === 0) return false;
  if (platform === 'linux') return linuxDevices.some(exists);
  // The library that NVIDIA's driver installs. TensorFlow.js has no GPU on macOS.
  return (
    platform === 'win32' && exists(path.join(environment['SystemRoot'] ?? 'C:\\Windows', 'System32', 'nvcuda.dll'))
  );
}

/** CUDA_VISIBLE_DEVICES: CUDA takes the devices up to the first that is not valid; an empty list or -1 leaves none. */
export function visibleDevices(list: string): string[] {
  const names = list.split(',').map((name) => name.trim());
  const end = names.findIndex((name) => name === '' || name.startsWith('-'));
  return end < 0 ? names : names.slice(0, end);
}
