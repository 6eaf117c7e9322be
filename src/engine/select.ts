/** Chooses the engine. The modules are loaded on demand: an engine that is not used costs neither time nor memory. */
import type { Device, EngineChoice, Precision } from '../shared/engine-names.js';
import { RequestError } from '../shared/errors.js';
import { cudaFolder, installedCuda } from './cuda/installed.js';
import { startedForCuda } from './cuda/variables.js';
import { isGpuPlausible } from './doctor/gpu-presence.js';
import type { Engine } from './engine.js';

export interface EngineOptions {
  /** Threads of one operator, on a CPU; default all cores. */
  readonly threads?: number | undefined;
  /** Default: the CPU for onnxruntime; a GPU for tensorflow where it finds one. */
  readonly device?: Device | undefined;
  /** Default: what the device computes in (precision.ts). */
  readonly precision?: Precision | undefined;
}

/**
 * Makes an engine. `auto` is a GPU where one works and no other device is asked for: our own engine on an NVIDIA card whose
 * libraries are here, else onnxruntime's with CUDA where it is installed, else TensorFlow's; else onnxruntime on the CPU. Each
 * is loaded to find that out only where a GPU is plausible.
 *
 * @throws RequestError when the engine or the device that is asked for does not work here
 */
export async function createEngine(choice: EngineChoice, options: EngineOptions = {}): Promise<Engine> {
  if (choice === 'tensorflow') return createTensorFlow(options);
  if (choice === 'nvidia') return createNvidia(options);
  const engine = choice === 'auto' ? await createOnGpu(options) : undefined;
  if (engine) return engine;
  const { createOnnxEngine } = await import('./onnx/engine.js');
  return createOnnxEngine(options);
}

async function createOnGpu(options: EngineOptions): Promise<Engine | undefined> {
  return (
    (await createNvidiaOnGpu(options)) ?? (await createOnnxOnGpu(options)) ?? (await createTensorFlowOnGpu(options))
  );
}

/** Undefined where there is no card, or a library of it is missing; a card that was asked for has others to try, too. */
async function createNvidiaOnGpu({ device, precision }: EngineOptions): Promise<Engine | undefined> {
  if (device !== undefined && device !== 'cuda') return undefined;
  if (device === undefined && !isGpuPlausible()) return undefined;
  const { openCard } = await import('./nvidia/card/open.js');
  const { NoDriver } = await import('./nvidia/card/libraries.js');
  const card = await openCard().catch((error: unknown) => {
    const hasOther = device === undefined || installedCuda(cudaFolder()) !== undefined;
    if (!(error instanceof RequestError && hasOther)) throw error;
    const hint = error.hint ? ` ${error.hint}` : '';
    if (!(error instanceof NoDriver)) process.stderr.write(`The nvidia engine is not used: ${error.message}.${hint}\n`);
    return undefined;
  });
  if (!card) return undefined;
  if (device === undefined) {
    process.stderr.write(`Computing on the ${card.name}; --device cpu computes on the processor.\n`);
  }
  const { createNvidiaEngine } = await import('./nvidia/engine.js');
  return createNvidiaEngine({ precision, card });
}

async function createNvidia({ device, precision }: EngineOptions): Promise<Engine> {
  if (device !== undefined && device !== 'cuda') {
    throw new RequestError(
      `the nvidia engine has no ${device} device; it has cuda`,
      `Use --engine onnxruntime for ${device}.`,
    );
  }
  const { createNvidiaEngine } = await import('./nvidia/engine.js');
  return createNvidiaEngine({ precision });
}

async function createTensorFlow({ device, threads, precision }: EngineOptions): Promise<Engine> {
  if (device === 'webgpu') {
    throw new RequestError(
      'the tensorflow engine has no webgpu device; it has cpu and cuda',
      'Use --engine onnxruntime for webgpu.',
    );
  }
  const { createTensorFlowEngine } = await import('./tensorflow/engine.js');
  return createTensorFlowEngine({ device, threads, precision });
}

/** Undefined where the CUDA provider is not installed or does not compute. */
async function createOnnxOnGpu({ device, ...options }: EngineOptions): Promise<Engine | undefined> {
  if (device !== undefined || !startedForCuda() || !isGpuPlausible()) return undefined;
  const { whyNotPlaced } = await import('./onnx/programs/placement.js');
  const reason = await whyNotPlaced('cuda');
  if (reason !== undefined) {
    process.stderr.write(`The GPU is not used: ${reason}. See esta doctor.\n`);
    return undefined;
  }
  process.stderr.write('Computing on the GPU with CUDA; --device cpu computes on the processor.\n');
  const { createOnnxEngine } = await import('./onnx/engine.js');
  return createOnnxEngine({ ...options, device: 'cuda' });
}

/** undefined when there is no GPU or no TensorFlow, or when TensorFlow does not load or found no GPU. */
async function createTensorFlowOnGpu({ device, precision }: EngineOptions): Promise<Engine | undefined> {
  if (device === 'cpu' || device === 'webgpu' || !isGpuPlausible()) return undefined;
  const { findAddon } = await import('./tensorflow/location.js');
  if (!findAddon()) return undefined;
  try {
    return await createTensorFlow({ device: 'cuda', precision });
  } catch (error) {
    if (error instanceof RequestError) return undefined;
    throw error;
  }
}
