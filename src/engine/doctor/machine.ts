/** What the machine has: processor, instruction sets that matter, memory. */
import { readFile } from 'node:fs/promises';
import os from 'node:os';

export interface Machine {
  readonly platform: string;
  readonly processor: string;
  /** Threads that this process may use at once. */
  readonly cores: number;
  /** Of the instruction sets that speed up matrix products; undefined where the system does not tell. */
  readonly instructionSets?: readonly string[];
  /** Bytes. `limit` is that of the container, where there is one below the total. */
  readonly memory: { readonly total: number; readonly available: number; readonly limit?: number };
}

/** Linux's names. avx512_vnni and amx_int8 are what int8 products gain from. */
const relevantFlags = ['avx', 'avx2', 'fma', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_bf16', 'amx_int8', 'asimd'];

export async function describeMachine(): Promise<Machine> {
  const information = (name: string) => readFile(`/proc/${name}`, 'utf8').catch(() => ''); // Linux only
  const instructionSets = parseInstructionSets(await information('cpuinfo'));
  const total = os.totalmem();
  const limit = process.constrainedMemory();
  return {
    platform: `${os.platform()} ${os.arch()}`,
    processor: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    ...(instructionSets ? { instructionSets } : {}),
    memory: {
      total,
      available: parseAvailable(await information('meminfo')) ?? os.freemem(),
      ...(limit && limit < total ? { limit } : {}),
    },
  };
}

/** From the text of /proc/cpuinfo. */
export function parseInstructionSets(cpuinfo: string): string[] | undefined {
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo);
  if (!line) return undefined;
  const flags = new Set(line[1]!.split(/\s+/));
  return relevantFlags.filter((flag) => flags.has(flag));
}

/** Bytes of MemAvailable (free or easily freed) from the text of /proc/meminfo. */
export function parseAvailable(meminfo: string): number | undefined {
  const line = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo);
  return line ? Number(line[1]) * 1024 : undefined;
}
