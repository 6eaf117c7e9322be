/** The engine for NVIDIA cards on the card of tests, beside ONNX Runtime on the CPU. */
import { after, before } from 'node:test';
import type { Engine } from '../../../../src/engine/engine.js';
import { createNvidiaEngine } from '../../../../src/engine/nvidia/engine.js';
import { createOnnxEngine } from '../../../../src/engine/onnx/engine.js';
import { noTestCard, openTestCard } from './stand-in.js';

/** Both are there from before the first test of the file until after the last one, where there is a card. */
export function enginesBesideCpu(): { readonly nvidia: Engine; readonly cpu: Engine } {
  const engines = {} as { nvidia: Engine; cpu: Engine };
  before(async () => {
    if (noTestCard) return;
    engines.nvidia = await createNvidiaEngine({ card: await openTestCard(), precision: 'float32' });
    engines.cpu = await createOnnxEngine({ threads: 1 });
  });
  after(async () => {
    await engines.nvidia?.dispose();
    await engines.cpu?.dispose();
  });
  return engines;
}
