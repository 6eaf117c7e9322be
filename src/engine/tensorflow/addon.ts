/**
 * Loads the TensorFlow addon into this process. The addon registers its backend and kernels in TensorFlow.js's global
 * registry, which all copies of tfjs-core share; it is nevertheless given the project's own copy, because a second one
 * registers the CPU and WebGL kernels again and warns about each of them.
 */
import { createRequire } from 'node:module';
import util from 'node:util';

import tf = require('@tensorflow/tfjs');

import type { Precision } from '../../shared/engine-names.js';
import { messageOf, RequestError } from '../../shared/errors.js';
import { type AddonLocation, addonVersion } from './location.js';

export const tensorflowBackend = 'tensorflow';

export interface TensorFlowOptions {
  /** Threads of one operator, on a CPU; default all cores. Counts only for the first load in a process. */
  readonly threads?: number | undefined;
  /** `cpu` hides all GPUs, `cuda` insists on one; default: a GPU where TensorFlow finds one. */
  readonly device?: 'cpu' | 'cuda' | undefined;
  /** Default: tf32 on a GPU, as TensorFlow does, else float32. */
  readonly precision?: Precision | undefined;
}

/** The addon after loading: what TensorFlow says about itself. */
export interface LoadedAddon extends AddonLocation {
  readonly tensorflowVersion: string;
  /** TensorFlow falls back to the CPU silently; this tells what it really uses. */
  readonly usesGpu: boolean;
}

interface AddonBackend extends tf.KernelBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

/**
 * Loads the addon, or throws a RequestError that says what is missing. The current backend stays what it was.
 * @param location from findAddon
 */
export function loadAddon(location: AddonLocation | undefined, options: TensorFlowOptions = {}): LoadedAddon {
  if (!location) {
    throw new RequestError(
      'the TensorFlow engine is not installed',
      'Run `esta engine install` (or `esta engine install --gpu`), or use --engine onnxruntime.',
    );
  }
  if (location.version !== addonVersion) {
    throw new RequestError(
      `${location.folder} is ${location.packageName} ${location.version}; ${addonVersion} is needed`,
      'Run `esta engine install` again, and remove the other version.',
    );
  }
  prepareEnvironment(options);
  restoreLegacyUtil();
  const previous = tf.engine().backendName;
  const addonRequire = createRequire(`${location.folder}/package.json`);
  shareTensorFlowJs(addonRequire);
  try {
    addonRequire(location.folder);
  } catch (error) {
    throw explainLoadError(error, location);
  }
  const backend = tf.findBackend(tensorflowBackend) as AddonBackend;
  if (previous) tf.setBackend(previous);
  return { ...location, tensorflowVersion: backend.binding.TF_Version, usesGpu: backend.isUsingGpuDevice };
}

/** TensorFlow reads these variables once, when it starts. */
function prepareEnvironment({ threads, device }: TensorFlowOptions): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'; // errors only: it reports every CPU flag it was not built for
  if (threads) {
    process.env['TF_NUM_INTRAOP_THREADS'] = String(threads);
    process.env['TF_NUM_INTEROP_THREADS'] = '1';
  }
  if (device === 'cpu') process.env['CUDA_VISIBLE_DEVICES'] = '-1';
}

/** The addon calls two functions of `util` that Node 22 deprecates with a warning and Node 23 removed. */
function restoreLegacyUtil(): void {
  Object.assign(util, {
    isArray: Array.isArray,
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
  });
}

/** Lets the addon's `require('@tensorflow/tfjs')` give the copy that this process already uses. */
function shareTensorFlowJs(addonRequire: NodeJS.Require): void {
  const ownRequire = createRequire(import.meta.url);
  for (const name of ['@tensorflow/tfjs', '@tensorflow/tfjs-core']) {
    const own = ownRequire.resolve(name);
    ownRequire(own);
    addonRequire.cache[addonRequire.resolve(name)] = ownRequire.cache[own];
  }
}

function explainLoadError(error: unknown, { packageName, folder }: AddonLocation): RequestError {
  const message = messageOf(error).trim();
  if (message.includes('can not be found at path')) {
    return new RequestError(
      `${packageName} in ${folder} has no compiled addon (npm installed it without its install script)`,
      'Run `esta engine install`, which downloads or builds it.',
    );
  }
  return new RequestError(
    `${packageName} in ${folder} does not load: ${message}`,
    'Run `esta engine install` again: the TensorFlow libraries it was built with have moved, or do not fit this machine.',
  );
}
