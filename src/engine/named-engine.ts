/** Whether a run would get the engine that is asked for, told before it trains. */
import type { EngineChoice } from '../shared/engine-names.js';
import { isGpuPlausible } from './doctor/gpu-presence.js';
import { settlePrecision } from './precision.js';
import { createEngine, type EngineOptions } from './select.js';

/**
 * An engine or a device that was named is made and let go, as nothing else tells whether it works. onnxruntime on the CPU
 * always does, so that only the precision is looked at; and what `auto` finds takes seconds to load where there may be a GPU,
 * so that it is only made where a precision was asked for, which it may refuse.
 * @throws RequestError as `createEngine` does
 */
export async function refuseEngine(
  choice: EngineChoice,
  { device, precision }: Pick<EngineOptions, 'device' | 'precision'>,
): Promise<void> {
  const mayBeGpu = choice === 'auto' && device === undefined && isGpuPlausible();
  if (mayBeGpu && (precision ?? 'float32') === 'float32') return;
  const isOnnx = choice === 'auto' || choice === 'onnxruntime';
  if (isOnnx && !mayBeGpu && (device ?? 'cpu') === 'cpu') {
    settlePrecision({ engine: 'onnxruntime', place: 'cpu', asked: precision });
    return;
  }
  const engine = await createEngine(choice, { device, precision });
  await engine.dispose();
}
