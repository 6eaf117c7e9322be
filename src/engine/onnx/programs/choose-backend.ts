/** Which of the two ways to ONNX Runtime an engine takes. */
import type { Device, Precision } from '../../../shared/engine-names.js';
import { messageOf } from '../../../shared/errors.js';
import type { Backend, Stored } from './backend.js';
import { nodeBackend } from './node-backend.js';
import { readable } from './placement.js';

/** `native`: its C API, values stay on the device; `node`: onnxruntime-node. */
export type BackendChoice = 'native' | 'node';

interface Place {
  readonly device: Device;
  readonly threads: number;
  readonly precision: Precision;
  readonly sharesArena: boolean;
}

export interface ChosenBackend {
  readonly backend: Backend<Stored>;
  /** Why values cross the bus in every run, where they need not. */
  readonly reason?: string;
}

/** @param asked default: native with CUDA, and node where that does not load; else node */
export async function chosenBackend(asked: BackendChoice | undefined, place: Place): Promise<ChosenBackend> {
  const { device } = place;
  const choice = asked ?? (device === 'cuda' ? 'native' : 'node');
  if (choice === 'native' && device !== 'webgpu') {
    try {
      const { nativeBackend } = await import('../native/backend.js');
      return { backend: await nativeBackend({ ...place, device }) };
    } catch (error) {
      if (asked === 'native') throw error;
      return { backend: nodeBackend(place), reason: readable(messageOf(error)) };
    }
  }
  return { backend: nodeBackend(place) };
}
