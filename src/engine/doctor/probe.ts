/** Tries an engine on a device in a child process, so that a crash of a driver is a result like any other. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Device, EngineName } from '../../shared/engine-names.js';

export type ProbeResult =
  | {
      readonly works: true;
      /** The device that really computed: cpu, cuda, webgpu, or gpu for TensorFlow's. */
      readonly uses: string;
      readonly version: string;
      /** Largest absolute error of the self-check. */
      readonly largestError: number;
      /** Engine.crossing */
      readonly crossing?: string;
    }
  | { readonly works: false; readonly reason: string; readonly version?: string };

export interface ProbeOptions {
  /** For tensorflow: the folder whose node_modules holds the addon; default where the engine looks for it. */
  readonly folder?: string;
  /** Default 120 000 ms: the first load of a GPU's libraries is slow. */
  readonly timeout?: number;
  /** What the child is started with beside this process's own. */
  readonly variables?: Readonly<Record<string, string>>;
}

export async function probeEngine(
  engine: EngineName,
  device: Device,
  { folder, timeout = 120_000, variables = {} }: ProbeOptions = {},
): Promise<ProbeResult> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./probe-child.js', import.meta.url)), engine, device, ...(folder ? [folder] : [])],
    { stdio: ['ignore', 'pipe', 'pipe'], timeout, env: { ...process.env, ...variables } },
  );
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ works: false, reason: `the check did not start: ${error.message}` }));
    child.on('close', (code, signal) => {
      const end = child.killed ? `its time limit of ${timeout / 1000} s` : (signal ?? `exit status ${code}`);
      resolve(parseProbe(output, end));
    });
  });
}

/** The child's answer, or how it ended where it gave none. Native libraries may print before the answer. */
export function parseProbe(
  { stdout, stderr }: { readonly stdout: string; readonly stderr: string },
  end: string,
): ProbeResult {
  const answer = stdout.trimEnd().split('\n').at(-1) ?? '';
  if (answer.startsWith('{"works":')) return JSON.parse(answer) as ProbeResult;
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  return { works: false, reason: `the process was ended by ${end}${last ? `: ${last}` : ''}` };
}
