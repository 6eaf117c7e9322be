/** The ONNX Runtime with CUDA that `esta engine install --cuda` has brought: a node_modules folder of its own. */
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { enginesFolder } from '../engines-folder.js';
import { type CudaVersion, cudaVersions, providerFiles } from './builds.js';

/** What provider.json says. */
export interface InstalledCuda {
  /** Version of ONNX Runtime. */
  readonly runtime: string;
  readonly cuda: CudaVersion;
  /** The package, its version and registry, or the folder from which it was brought. */
  readonly source: string;
  /** SHA-256 of each library, as subresource integrity. */
  readonly files: Readonly<Record<string, string>>;
}

/** Of the package onnxruntime-node, on linux x64. */
const nativeFolder = path.join('bin', 'napi-v6', 'linux', 'x64');

export function cudaFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return path.join(enginesFolder(environment), 'onnxruntime-cuda');
}

/** The package onnxruntime-node in an installation. */
export function runtimeIn(folder: string): string {
  return path.join(folder, 'node_modules', 'onnxruntime-node');
}

/** The libraries of an installation. */
export function librariesIn(folder: string): string {
  return path.join(runtimeIn(folder), nativeFolder);
}

/** Undefined where nothing is installed, or what is there was not finished, has lost its runtime, or is of another program. */
export function installedCuda(folder: string = cudaFolder()): InstalledCuda | undefined {
  try {
    const installed = JSON.parse(readFileSync(path.join(folder, 'provider.json'), 'utf8')) as InstalledCuda;
    const isWhole = existsSync(path.join(runtimeIn(folder), 'package.json'));
    return isWhole && cudaVersions.includes(installed.cuda) ? installed : undefined;
  } catch {
    return undefined;
  }
}

/** What the install script of onnxruntime-node has put beside the program's own library, as in a container. */
export function cudaBesideOwn(): InstalledCuda | undefined {
  const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  if (!existsSync(path.join(path.dirname(manifest), nativeFolder, providerFiles[0]))) return undefined;
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return { runtime: version, cuda: 12, source: 'the install script of onnxruntime-node', files: {} };
}

/** Removes it, and what a stopped installation has left. */
export async function uninstallCuda(folder: string = cudaFolder()): Promise<boolean> {
  const was = existsSync(folder);
  for (const each of [folder, downloadsOf(folder), stagingOf(folder)]) await rm(each, { recursive: true, force: true });
  return was;
}

/** Archives on their way; they stay where an installation is stopped. */
export function downloadsOf(folder: string): string {
  return `${folder}.download`;
}

/** An installation that is not finished. */
export function stagingOf(folder: string): string {
  return `${folder}.partial`;
}
