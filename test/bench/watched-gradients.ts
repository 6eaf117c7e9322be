/** An engine that notes the shapes of all gradients that its programs give. */
import type { TestContext } from 'node:test';
import type { Engine, Value } from '../../src/engine/engine.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';

export interface WatchedGradients {
  readonly engine: Engine;
  /** In the order in which they were computed. */
  readonly gradients: readonly (readonly number[])[];
}

/** It ends with the test. */
export async function watchedGradients(t: TestContext): Promise<WatchedGradients> {
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const gradients: (readonly number[])[] = [];
  const compile = (name: string, fn: never) => {
    const program = engine.compile(name, fn) as (inputs: unknown) => Promise<{ grads?: Value[] }>;
    return async (inputs: unknown) => {
      const result = await program(inputs);
      gradients.push(...(result.grads ?? []).map(({ shape }) => shape));
      return result;
    };
  };
  const watched = { put: engine.put, get: engine.get, free: engine.free, compile } as unknown as Engine;
  return { engine: watched, gradients };
}
