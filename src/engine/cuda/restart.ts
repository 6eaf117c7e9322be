/** Whether a command is to run in a process that was started for CUDA, and with what. */
import { isGpuPlausible } from '../doctor/gpu-presence.js';
import { cudaFolder, installedCuda } from './installed.js';
import { libraryPlaces } from './libraries.js';
import { assess } from './readiness.js';
import { cudaVariables, runtimeVariable } from './variables.js';

/** Commands with --engine, whose default takes a GPU. */
const choosing = new Set(['run', 'ablate', 'deploy', 'finetune', 'predict', 'generate']);

/** What a command line asks for: CUDA, what works best, or something else. */
export function wishOf([command, ...rest]: readonly string[]): 'cuda' | 'auto' | undefined {
  if (rest.includes('--help') || rest.includes('-h')) return undefined;
  const given = (flag: string) => {
    const index = rest.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
    return index === -1 ? undefined : rest[index]!.slice(flag.length + 1) || rest[index + 1];
  };
  const [device, engine = 'auto'] = [given('--device'), given('--engine')];
  if (device !== undefined)
    return device === 'cuda' && (engine === 'auto' || engine === 'onnxruntime') ? 'cuda' : undefined;
  return choosing.has(command ?? '') && engine === 'auto' ? 'auto' : undefined;
}

/** Variables that the process of this command lacks; none where it has them, or would not use them. */
export async function variablesFor(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Record<string, string>> {
  const wish = process.platform === 'linux' ? wishOf(argv) : undefined;
  if (wish === undefined || environment[runtimeVariable] !== undefined) return {};
  const installed = installedCuda(cudaFolder(environment));
  if (!installed || (wish === 'auto' && !isGpuPlausible({ environment }))) return {};
  // A driver that is too old is found when it is used.
  const { folders, missing } = assess({ driver: undefined, installed, places: libraryPlaces({ environment }) });
  return wish === 'auto' && missing.length > 0 ? {} : cudaVariables(folders, environment);
}
