/** Sessions of onnxruntime, whole on the device that was asked for or not at all. */
import type { Device, Precision } from '../../../shared/engine-names.js';
import { RequestError } from '../../../shared/errors.js';
import type { Card } from '../../cuda/driver.js';
import { settlePrecision } from '../../precision.js';
import * as ort from '../runtime.js';

type SessionOptions = NonNullable<Parameters<typeof ort.InferenceSession.create>[1]>;

/** The card that a process computes on: the first that CUDA_VISIBLE_DEVICES leaves; undefined: none, or not known. */
export async function cardOf(device: Device): Promise<Card | undefined> {
  if (device !== 'cuda') return undefined;
  const { describeDriver } = await import('../../cuda/driver.js');
  return (await describeDriver())?.cards[0];
}

/** Bytes that programs may take on a device; on the CPU their number alone is limited, as ever. */
export function programBudget(device: Device, card: Card | undefined): number {
  if (device !== 'cuda') return Number.POSITIVE_INFINITY;
  return card ? 0.8 * card.freeMemory * 2 ** 20 : 8 * 2 ** 30;
}

/** @throws RequestError where the device does not compute in what was asked for */
export function settledPrecision(place: Device, card: Card | undefined, asked: Precision | undefined): Precision {
  return settlePrecision({ engine: 'onnxruntime', place, asked, computeCapability: card?.computeCapability });
}

/** Makes the arena that CUDA's programs share. False where that fails: each program has its own then, and fewer are kept. */
export async function sharedArena(): Promise<boolean> {
  const { shareArena } = await import('./shared-arena.js');
  return shareArena('cuda', ort.packageFolder, ort.env.versions.node ?? '') === undefined;
}

interface Placed {
  readonly key: string;
  readonly device: Device;
  /** Whether it computes in the arena that all programs share. */
  readonly sharesArena: boolean;
  /** Inputs to run the program with, of any values. */
  readonly feeds: Readonly<Record<string, ort.Tensor>>;
}

/** @throws RequestError where CUDA would leave operators to the CPU, naming them: their values would cross the bus twice */
export async function createSession(
  model: Uint8Array,
  options: SessionOptions,
  { key, device, sharesArena, feeds }: Placed,
): Promise<ort.InferenceSession> {
  if (device !== 'cuda') return ort.InferenceSession.create(model, options);
  const [{ operatorsOnCpu, wholly }, { fromSharedArena }] = await Promise.all([
    import('./placement.js'),
    import('./shared-arena.js'),
  ]);
  try {
    const session = { ...wholly.extra.session, ...(sharesArena && fromSharedArena) };
    return await ort.InferenceSession.create(model, { ...options, extra: { session }, logSeverityLevel: 4 });
  } catch (error) {
    const left = await operatorsOnCpu(model, feeds, device).catch(() => []);
    if (left.length === 0) throw error;
    throw new RequestError(
      `CUDA has no kernel for ${left.join(', ')} of the program "${key}": they would be computed on the CPU`,
      'Use --device cpu or --device webgpu for this experiment.',
    );
  }
}

/** @throws RequestError where onnxruntime does not compute on the device, with what is missing */
export async function requireProvider(device: Exclude<Device, 'cpu'>): Promise<void> {
  const { whyNotPlaced } = await import('./placement.js');
  const reason = await whyNotPlaced(device);
  if (reason === undefined) return;
  const missing = device === 'cuda' ? await missingForCuda() : [];
  const pieces = missing.map(({ what }) => what).join('; ');
  throw new RequestError(
    `onnxruntime does not compute on ${device} here: ${pieces || reason}`,
    [...missing.map(({ remedy }) => remedy), 'Run `esta doctor` to see more, or leave out the device.'].join('\n'),
  );
}

async function missingForCuda() {
  const { cudaReadiness } = await import('../../cuda/readiness.js');
  return (await cudaReadiness()).missing;
}
