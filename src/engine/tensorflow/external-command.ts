/** Runs npm, the compiler and so on, keeping their output for the message in case they fail. */
import { spawn } from 'node:child_process';
import { RequestError } from '../../shared/errors.js';

export interface ExternalCommand {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly folder: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Resolves when the command succeeds; otherwise a RequestError with the end of its output, explained by `explain`. */
export async function runExternal(
  { command, arguments: list, folder, environment = process.env }: ExternalCommand,
  explain: (output: string) => string,
): Promise<void> {
  const child = spawn(command, list, {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32', // npm is a .cmd file there
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const status = await new Promise<string>((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.on('close', (code, signal) => resolve(signal ?? String(code)));
  });
  if (status === '0') return;
  const line = [command, ...list].join(' ');
  if (status === 'ENOENT') throw new RequestError(`${command} is not on the PATH`, explain(status));
  const failure = networkFailure(output);
  if (failure) throw new RequestError(`\`${line}\` failed: ${failure}`, explain(output));
  const tail = output.trimEnd().split('\n').slice(-12).join('\n  ');
  throw new RequestError(`\`${line}\` failed (${status}):\n  ${tail}`, explain(output));
}

/** True when the command can be started; its output and status do not matter. */
export async function isRunnable(command: string): Promise<boolean> {
  const child = spawn(command, ['--version'], { stdio: 'ignore' });
  return new Promise((resolve) => {
    child.on('error', () => resolve(false));
    child.on('close', () => resolve(true));
  });
}

/** What Node.js and npm print about the network, e.g. `getaddrinfo ENOTFOUND registry.npmjs.org`; undefined if nothing. */
export function networkFailure(output: string): string | undefined {
  return /.*\b(?:ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH)\b.*/
    .exec(output)?.[0]
    .replace(/^npm (?:error|ERR!)/, '')
    .trim();
}
