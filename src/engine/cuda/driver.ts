/** The NVIDIA driver and the cards that it drives, told without loading anything of CUDA. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface Card {
  readonly name: string;
  /** MiB; left out of a card that has none of its own, as a GB10, for which nvidia-smi says [N/A]. */
  readonly memory?: number;
  readonly freeMemory?: number;
  /** As CUDA counts, e.g. 9.0 for an H100; TF32 and bfloat16 need 8.0. */
  readonly computeCapability?: number;
}

export interface Driver {
  readonly version: string;
  /** Newest CUDA that the driver can run, where it says so. */
  readonly cuda?: string;
  /** Empty where nvidia-smi is missing, or lists none. */
  readonly cards: readonly Card[];
}

const query = ['--query-gpu=name,memory.total,memory.free,compute_cap,driver_version', '--format=csv,noheader,nounits'];

/** Undefined where no driver is loaded. */
export async function describeDriver(
  run: (args: readonly string[]) => Promise<string> = nvidiaSmi,
  procFile = '/proc/driver/nvidia/version',
): Promise<Driver | undefined> {
  const [list, summary, proc] = await Promise.all([
    run(query).catch(() => ''),
    run([]).catch(() => ''),
    readFile(procFile, 'utf8').catch(() => ''),
  ]);
  const rows = list
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter((cells) => cells.length === 5);
  // NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23 10:11:16 UTC 2025
  const version = rows[0]?.[4] ?? /\s(\d{3}\.\d+(?:\.\d+)?)\s/.exec(proc)?.[1];
  if (version === undefined) return undefined;
  const cuda = /CUDA (?:UMD )?Version:\s*([\d.]+)/.exec(summary)?.[1];
  const cards = rows.map(([name, memory, free, capability]) => ({
    name: name!,
    ...known('memory', memory!),
    ...known('freeMemory', free!),
    ...known('computeCapability', capability!),
  }));
  return { version, ...(cuda && { cuda }), cards };
}

function known(key: Exclude<keyof Card, 'name'>, text: string): Partial<Card> {
  return Number.isFinite(Number(text)) ? { [key]: Number(text) } : {};
}

/** Compares driver versions, e.g. 525.60 and 580.95.05. */
export function isAtLeast(version: string, wanted: string): boolean {
  const [a, b] = [version, wanted].map((text) => text.split('.').map(Number));
  for (const [index, part] of b!.entries()) {
    const own = a![index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}

async function nvidiaSmi(args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('nvidia-smi', [...args], { timeout: 20_000 })).stdout;
}
