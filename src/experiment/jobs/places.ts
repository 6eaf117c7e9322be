/** Where the processes of `--jobs` compute: each on its own cores, and on its own GPU where there are some. */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { visibleDevices } from '../../engine/doctor/gpu-presence.js';
import type { Device, EngineChoice } from '../../shared/engine-names.js';
import { RequestError } from '../../shared/errors.js';

export interface Place {
  /** Threads of one operator. */
  readonly threads: number;
  /** Numbers of the cores that the process is bound to; left out: not bound. */
  readonly cores?: readonly number[];
  /** For CUDA_VISIBLE_DEVICES; left out: as it is. */
  readonly gpu?: string;
}

export interface Machine {
  /** Cores that this process may use. */
  readonly cores: readonly number[];
  /** As CUDA names them; undefined for the one that it takes by itself. */
  readonly gpus: readonly (string | undefined)[];
  readonly freeBytes: number;
}

/**
 * One place for each of `jobs` processes. Cores are divided, and bound where there are enough; GPUs are given round robin.
 * @param threads of each process; default its share of the cores
 */
export function placesOf({ cores, gpus }: Pick<Machine, 'cores' | 'gpus'>, jobs: number, threads?: number): Place[] {
  const share = Math.max(1, Math.floor(cores.length / jobs));
  const each = threads ?? share;
  const isBound = each * jobs <= cores.length;
  return Array.from({ length: jobs }, (_, index) => {
    const gpu = gpus[index % gpus.length];
    return {
      threads: each,
      ...(isBound && { cores: cores.slice(index * each, (index + 1) * each) }),
      ...(gpu !== undefined && { gpu }),
    };
  });
}

/** What there is to do. */
export interface Needs {
  /** Items that can be computed side by side. */
  readonly work: number;
  /** Memory that a process is expected to take. */
  readonly processBytes: number;
  /** Multiply-accumulates of a training step. */
  readonly stepMacs: number;
  /** Of each process; default 1. */
  readonly threads?: number;
}

/**
 * Steps of fewer multiply-accumulates leave most of a card idle: three processes of flowers12.yaml (2e10) on an H200 take 1.4
 * times as long as one alone; a step of ViT-S and ViT-B (3e12) fills the card.
 */
const smallStep = 2e11;
/** Processes with small steps that were measured on one card. */
const sharers = 3;

/**
 * How many processes `--jobs` means. `auto`: one for each GPU where one computes, three where the steps are small; else for each
 * core, as far as there is work and memory for them: independent trainings use cores better one by one than one training uses
 * them together.
 */
export function jobsOf(
  asked: string,
  { cores, gpus, freeBytes }: Machine,
  { work, processBytes, stepMacs, threads = 1 }: Needs,
): number {
  if (asked !== 'auto') return Number(asked);
  const bySize = Math.floor((freeBytes * 0.8) / processBytes);
  const byCores = Math.floor(cores.length / threads);
  // Each needs a core that keeps its card busy.
  const shared = Math.max(gpus.length, Math.min(byCores, sharers * gpus.length));
  const byDevice = gpus.length === 0 ? byCores : stepMacs < smallStep ? shared : gpus.length;
  return Math.max(1, Math.min(byDevice, bySize, work));
}

/** @throws RequestError for what is neither a positive number nor `auto` */
export function checkJobs(text: string): string {
  if (text === 'auto' || /^[1-9]\d{0,3}$/.test(text)) return text;
  throw new RequestError(`--jobs ${text}: a number of processes from 1, or auto`, 'Without it, one process runs all.');
}

/** @param isThere whether a GPU is plausible here, which `auto` and TensorFlow then look for */
export function mayUseGpus(engine: EngineChoice, device: Device | undefined, isThere: boolean): boolean {
  if (device !== undefined) return device !== 'cpu';
  return engine === 'nvidia' || (engine !== 'onnxruntime' && isThere);
}

export function thisMachine(usesGpus: boolean): Machine {
  return { cores: ownCores(), gpus: usesGpus ? ownGpus() : [], freeBytes: freeBytes() };
}

/**
 * Memory that processes of this one may take: in a container less than the machine has free. What the container holds already
 * is not taken off: most of it is a cache of files, which the system gives back.
 * @param limit of the container; 0 or undefined: there is none, or the system does not tell
 */
export function freeBytes(free = freemem(), limit: number | undefined = process.constrainedMemory()): number {
  return Math.min(free, limit || free);
}

function ownCores(): number[] {
  const all = Array.from({ length: availableParallelism() }, (_, core) => core);
  try {
    const [, list] = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
    return coresIn(list!).slice(0, all.length);
  } catch {
    return all; // no Linux
  }
}

/** "0-3,8" -> 0, 1, 2, 3, 8. */
export function coresIn(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}

/** Those that CUDA_VISIBLE_DEVICES leaves, else those that the driver lists; not all do (WSL, other makers). */
function ownGpus(): (string | undefined)[] {
  const visible = process.env['CUDA_VISIBLE_DEVICES'];
  if (visible !== undefined) return visibleDevices(visible);
  try {
    return readdirSync('/proc/driver/nvidia/gpus').map((_, index) => String(index));
  } catch {
    return [undefined];
  }
}
