/** A function of weights and inputs whose weights are on a device: what serves one network after another image. */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NdArray } from '../shared/arrays.js';
import type { Mapped } from '../shared/tree.js';
import type { Engine, Values } from './engine.js';
import { frozenOnDevice } from './transfer.js';

/** The type of the weights is no part of it, so that networks of all families are bound functions of one type. */
export interface BoundFunction<In, Out> {
  run(inputs: Values<In>): Promise<Values<Out>>;
  /** Gives back the device memory of the weights. */
  free(): void;
}

/** @param key names what `fn` computes, as for `Engine.compile` */
export function bind<Weights, In, Out>(
  engine: Engine,
  key: string,
  weights: Weights,
  fn: (weights: Mapped<Weights, NdArray, Tensor>, inputs: In) => Out,
): BoundFunction<In, Out> {
  interface Given {
    readonly weights: Mapped<Weights, NdArray, Tensor>;
    readonly inputs: In;
  }
  const held = frozenOnDevice(engine, weights) as never; // its tensors: no type proves that two mappings are as good as one
  const compiled = engine.compile(key, ({ weights, inputs }: Given) => fn(weights, inputs));
  return { run: (inputs) => compiled({ weights: held, inputs }), free: () => engine.free(held) };
}
