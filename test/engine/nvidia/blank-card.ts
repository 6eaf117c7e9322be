/** A card that computes nothing and answers zeros: whether whole runs are made of operators that have kernels, in little time. */
import type { Card } from '../../../src/engine/nvidia/card/card.js';

export function blankCard(): Card {
  let next = 4096;
  const nothing = () => {};
  return {
    name: 'blank',
    computeCapability: [9, 0],
    memory: () => ({ free: 2 ** 36, total: 2 ** 36 }),
    allocate: (bytes) => {
      next += Math.ceil(bytes / 256) * 256;
      return next - Math.ceil(bytes / 256) * 256;
    },
    release: nothing,
    upload: nothing,
    download: async (_, to) => {
      new Uint8Array(to.buffer, to.byteOffset, to.byteLength).fill(0);
    },
    copy: nothing,
    compile: (_, names) => names.map((name) => ({ name })),
    launch: nothing,
    multiply: nothing,
    record: (work) => {
      work();
      return { launch: nothing, release: nothing };
    },
    synchronise: async () => {},
    dispose: nothing,
  };
}
