/** A function of weights and inputs whose weights are on a device: what serves one network after another image. */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NdArray } from '../shared/arrays.js';
import type { Mapped } from '../shared/tree.js';
import type { Compiled, Engine, HoldingFunction, Values } from './engine.js';
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
  const held = frozenOnDevice(engine, weights) as never; // its tensors: no type proves that two mappings are as good as one
  return { run: bindValues(engine, key, fn, held), free: () => engine.free(held) };
}

/** @param held values that stay the same, and the caller's */
export function bindValues<Held, In, Out>(
  engine: Engine,
  key: string,
  fn: HoldingFunction<Held, In, Out>,
  held: Values<Held>,
): Compiled<In, Out> {
  if (engine.bind) return engine.bind(key, fn, held);
  interface Given {
    readonly held: Held;
    readonly inputs: In;
  }
  const compiled = engine.compile(key, (given: Given) => fn(given.held, given.inputs));
  return (inputs) => compiled({ held, inputs } as never); // the tree `Given`
}
