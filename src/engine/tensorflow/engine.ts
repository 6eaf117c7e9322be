/**
 * The eager engine: a compiled function simply runs on TensorFlow's kernels, one by one, inside `tf.tidy`. A value is a
 * tensor on TensorFlow's device and lives until it is freed.
 */
import tf = require('@tensorflow/tfjs');

import type { NdArray } from '../../shared/arrays.js';
import type { Precision } from '../../shared/engine-names.js';
import { RequestError } from '../../shared/errors.js';
import { leavesOf, mapTree } from '../../shared/tree.js';
import { type Engine, isValue, requireValueType, type TensorFunction, type Value, type Values } from '../engine.js';
import { registerDecompositions } from '../ops/decompositions.js';
import { settlePrecision } from '../precision.js';
import { isTensor } from '../tensor.js';
import { type LoadedAddon, loadAddon, type TensorFlowOptions, tensorflowBackend } from './addon.js';
import { findAddon } from './location.js';

/** Throws a RequestError when the addon is missing or does not load, or when a GPU is asked for and there is none. */
export async function createTensorFlowEngine(options: TensorFlowOptions = {}): Promise<Engine> {
  const { precision: asked } = options;
  if (asked === 'float32') settlePrecision({ engine: 'tensorflow', place: 'gpu', asked }); // read when it is loaded
  const addon = loadAddon(findAddon(), options);
  if (options.device === 'cuda' && !addon.usesGpu) {
    throw new RequestError(
      `${addon.packageName} (TensorFlow ${addon.tensorflowVersion}) finds no GPU and would use the CPU`,
      'Run `esta doctor` to see what is missing, or leave out --device cuda.',
    );
  }
  return eagerEngine(addon, asked);
}

/** The engine of an addon that is loaded already. */
export function eagerEngine(addon: LoadedAddon, asked?: Precision): Engine {
  registerDecompositions(tensorflowBackend);
  return {
    name: 'tensorflow',
    device: describeDevice(addon),
    precision: settlePrecision({ engine: 'tensorflow', place: addon.usesGpu ? 'gpu' : 'cpu', asked }),
    put: (array) => onTensorFlow(() => toValue(toTensor(array))),
    get: async (value) => toArray(value),
    free: (tree) => {
      for (const { leaf } of leavesOf(tree, isValue)) tensorOf(leaf).dispose();
    },
    compile: (_key, fn) => async (inputs) => onTensorFlow(() => runEagerly(fn, inputs)),
    dispose: async () => {}, // nothing is compiled
  };
}

function describeDevice({ packageName, tensorflowVersion, usesGpu }: LoadedAddon): string {
  const fallback = packageName.endsWith('-gpu') && !usesGpu ? ' (the GPU package found no GPU)' : '';
  return `${usesGpu ? 'gpu' : 'cpu'}${fallback}, TensorFlow ${tensorflowVersion}`;
}

function runEagerly<In, Out>(fn: TensorFunction<In, Out>, inputs: Values<In>): Values<Out> {
  const tensors = mapTree(inputs, isValue, tensorOf);
  // The caller frees inputs and results separately, so no result may be the same tensor as an input or another result.
  const taken = new Set(leavesOf(tensors, isTensor).map(({ leaf }) => leaf));
  const own = (tensor: tf.Tensor) => {
    const owned = taken.has(tensor) ? tensor.clone() : tensor;
    taken.add(owned);
    return owned;
  };
  // The tree of `fn`: its values became tensors again.
  const results = tf.tidy(() => mapTree(fn(tensors as never), isTensor, own) as tf.TensorContainer);
  return mapTree(results, isTensor, toValue) as Values<Out>;
}

/** Runs `action` with TensorFlow as the current backend: another engine in this process may have set its own. */
function onTensorFlow<T>(action: () => T): T {
  const previous = tf.engine().backendName;
  tf.setBackend(tensorflowBackend);
  try {
    return action();
  } finally {
    if (previous && previous !== tensorflowBackend) tf.setBackend(previous);
  }
}

function tensorOf({ storage }: Value): tf.Tensor {
  if (!(storage instanceof tf.Tensor)) throw new Error('the tensorflow engine was given a value of another engine');
  return storage;
}

function toTensor({ data, shape, dtype }: NdArray): tf.Tensor {
  // TensorFlow.js has no uint8.
  return tf.tensor(data, [...shape], dtype === 'uint8' ? 'int32' : dtype);
}

function toValue(tensor: tf.Tensor): Value {
  const { shape, dtype } = tensor;
  requireValueType(dtype);
  return { shape, dtype, storage: tensor };
}

async function toArray(value: Value): Promise<NdArray> {
  const { shape, dtype } = value;
  const data = await tensorOf(value).data();
  return dtype === 'int32'
    ? { shape, dtype, data: data as Int32Array }
    : { shape, dtype: 'float32', data: data as Float32Array };
}
