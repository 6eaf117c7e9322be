/**
 * One arena of memory for all programs of a process. A session of onnxruntime has an arena of its own, which keeps what
 * its largest run needed: at ViT-B and 64 images 6 GB for each stitch. ONNX Runtime can share one among sessions, but
 * onnxruntime-node has no call for it.
 *
 * On the CPU, without one, large tensors come from the system and go back to it one by one, which hands out every page anew and
 * empty: on a virtual machine more than half of the processor time of a training step of a language model.
 */
import { messageOf } from '../../../shared/errors.js';
import { nativeApi } from './api.js';
import { memoryInfoOf } from './values.js';

export type ArenaDevice = 'cuda' | 'cpu';
const devices = {
  cuda: { provider: 'CUDAExecutionProvider', memory: 'Cuda' },
  cpu: { provider: 'CPUExecutionProvider', memory: 'Cpu' },
} as const;

const shared = new Map<ArenaDevice, string | undefined>();

/**
 * Makes the arena, once in a process. Call it where the provider has computed: ONNX Runtime ends the process without one.
 * @returns why there is none; undefined where there is one
 */
export function shareArena(device: ArenaDevice): string | undefined {
  if (!shared.has(device)) shared.set(device, register(device));
  return shared.get(device);
}

function register(device: ArenaDevice): string | undefined {
  try {
    const { provider, memory } = devices[device];
    const api = nativeApi();
    const [largest, automatic] = [0, -1];
    const configuration = api.make('createArenaConfiguration', largest, automatic, automatic, automatic);
    api.call('registerAllocator', api.env, provider, memoryInfoOf(api, memory), configuration, null, null, 0);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
