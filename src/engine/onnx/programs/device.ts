/** What programs need of a device: its card, precision, memory, and that onnxruntime computes there. */
import type { Device, Precision } from '../../../shared/engine-names.js';
import { RequestError } from '../../../shared/errors.js';
import type { Card } from '../../cuda/driver.js';
import { settlePrecision } from '../../precision.js';
import type { ArenaDevice } from '../native/shared-arena.js';

/** The card that a process computes on: the first that CUDA_VISIBLE_DEVICES leaves; undefined: none, or not known. */
export async function cardOf(device: Device): Promise<Card | undefined> {
  if (device !== 'cuda') return undefined;
  const { describeDriver } = await import('../../cuda/driver.js');
  return (await describeDriver())?.cards[0];
}

/** Bytes that programs may take on a device; on the CPU their number alone is limited, as ever. */
export function programBudget(device: Device, card: Card | undefined): number {
  if (device !== 'cuda') return Number.POSITIVE_INFINITY;
  return card?.freeMemory === undefined ? 8 * 2 ** 30 : 0.8 * card.freeMemory * 2 ** 20;
}

/** @throws RequestError where the device does not compute in what was asked for */
export function settledPrecision(place: Device, card: Card | undefined, asked: Precision | undefined): Precision {
  return settlePrecision({ engine: 'onnxruntime', place, asked, computeCapability: card?.computeCapability });
}

/** Makes the arena that programs of a device share. False where that fails: they do without one, those of CUDA with one each. */
export async function sharedArena(device: ArenaDevice): Promise<boolean> {
  try {
    const { shareArena } = await import('../native/shared-arena.js');
    return shareArena(device) === undefined;
  } catch {
    return false; // koffi does not load
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
