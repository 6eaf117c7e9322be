/** What works here: every engine is really tried, and what is missing comes with the command that gets it. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Device, EngineName } from '../../shared/engine-names.js';
import { messageOf } from '../../shared/errors.js';
import { type CudaReadiness, cudaReadiness } from '../cuda/readiness.js';
import { cudaVariables } from '../cuda/variables.js';
import { isGpuPlausible } from './gpu-presence.js';
import { describeMachine, type Machine } from './machine.js';
import { type ProbeResult, probeEngine } from './probe.js';

export interface EngineState {
  readonly engine: EngineName;
  /** The device asked for; `any` lets TensorFlow choose. */
  readonly device: Device | 'any';
  readonly result: ProbeResult;
  /** What to do when it does not work; absent when there is nothing to do. */
  readonly remedy?: string;
}

export interface Diagnosis {
  /** Names and versions; a package that does not load has the reason instead. */
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: Machine;
  readonly engines: readonly EngineState[];
  /** What CUDA needs, and what of it is here. */
  readonly cuda: CudaReadiness;
  /** What `--engine auto` uses here; undefined when nothing works. */
  readonly automatic?: { readonly engine: EngineName; readonly device: string };
}

const candidates = [
  { engine: 'onnxruntime', device: 'cpu' },
  { engine: 'onnxruntime', device: 'webgpu' },
  { engine: 'nvidia', device: 'cuda' },
  { engine: 'onnxruntime', device: 'cuda' },
  { engine: 'tensorflow', device: 'any' },
] as const;

export async function diagnose(): Promise<Diagnosis> {
  const [versions, machine, cuda] = await Promise.all([readVersions(), describeMachine(), cudaReadiness()]);
  const gpuIsPlausible = isGpuPlausible();
  const engines = await (gpuIsPlausible ? inTurn : atOnce)(candidates, (candidate) => examine(candidate, cuda));
  const automatic = chooseAutomatically(engines, gpuIsPlausible);
  return { versions, machine, engines, cuda, ...(automatic ? { automatic } : {}) };
}

const atOnce = <T, R>(items: readonly T[], of: (item: T) => Promise<R>): Promise<R[]> => Promise.all(items.map(of));

/** A card that gives itself to one process at a time (compute mode EXCLUSIVE_PROCESS) would refuse all engines but one. */
async function inTurn<T, R>(items: readonly T[], of: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await of(item));
  return results;
}

async function examine({ engine, device }: (typeof candidates)[number], cuda: CudaReadiness): Promise<EngineState> {
  const variables = engine === 'onnxruntime' && device === 'cuda' ? cudaVariables(cuda.folders) : {};
  const result = await probeEngine(engine, device === 'any' ? 'cpu' : device, { variables });
  const remedy = engine === 'onnxruntime' && device === 'cuda' ? undefined : remedyFor(engine, device, result);
  return { engine, device, result, ...(remedy ? { remedy } : {}) };
}

/** The rule of `--engine auto` (select.ts), applied to what was found: where no GPU is plausible it does not look. */
export function chooseAutomatically(engines: readonly EngineState[], gpuIsPlausible: boolean): Diagnosis['automatic'] {
  const working = (engine: EngineState['engine'], device: string) =>
    engines.some(({ engine: name, result }) => name === engine && result.works && result.uses === device);
  if (gpuIsPlausible && working('nvidia', 'cuda')) return { engine: 'nvidia', device: 'cuda' };
  if (gpuIsPlausible && working('onnxruntime', 'cuda')) return { engine: 'onnxruntime', device: 'cuda' };
  if (gpuIsPlausible && working('tensorflow', 'gpu')) return { engine: 'tensorflow', device: 'gpu' };
  return working('onnxruntime', 'cpu') ? { engine: 'onnxruntime', device: 'cpu' } : undefined;
}

/** What to run to get what is missing; of CUDA, `cudaReadiness` tells. */
export function remedyFor(
  engine: EngineState['engine'],
  device: EngineState['device'],
  result: ProbeResult,
): string | undefined {
  if (result.works) return undefined;
  if (engine === 'nvidia') return undefined; // its reason says what is missing, and what brings it
  if (engine === 'tensorflow') {
    return '`esta engine install` (CPU) or `esta engine install --gpu`; `--libtensorflow DIR` builds it against a TensorFlow that is already here';
  }
  if (device === 'webgpu') {
    return 'install the Vulkan loader (Debian, Ubuntu: `apt-get install libvulkan1`) and the driver of your GPU; without a GPU there is nothing to do';
  }
  return '`npm ci` in the project folder: onnxruntime-node is missing or damaged';
}

async function readVersions(): Promise<Record<string, string>> {
  return {
    node: process.versions.node,
    'tfjs-core': await packageVersion('@tensorflow/tfjs-core'),
    onnxruntime: await packageVersion('onnxruntime-node'),
    ...(await imageLibraryVersions()),
  };
}

async function packageVersion(name: string): Promise<string> {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return (JSON.parse(await readFile(manifest, 'utf8')) as { version: string }).version;
  } catch (error) {
    return `not found (${(error as NodeJS.ErrnoException).code ?? messageOf(error)})`;
  }
}

async function imageLibraryVersions(): Promise<Record<string, string>> {
  try {
    const { default: sharp } = await import('sharp');
    return { sharp: sharp.versions.sharp ?? 'unknown', libvips: sharp.versions.vips };
  } catch (error) {
    return { sharp: `does not load (${messageOf(error).split('\n')[0]})` };
  }
}
