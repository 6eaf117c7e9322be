/** What is asked of a cluster: the user's profile, and over it what the experiment file says. */
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { formatProblems } from '../../config/problem-list.js';
import { check } from '../../config/problems.js';
import type { Experiment } from '../../config/schema/experiment.js';
import { type Launcher, launcherDefaults, launcherSchema } from '../../config/schema/launcher.js';
import { parseYaml } from '../../config/yaml-document.js';
import { RequestError } from '../../shared/errors.js';
import { explainReadError } from '../../shared/files.js';

/** `$XDG_CONFIG_HOME/esta/launcher.yaml`, or ~/.config/esta/launcher.yaml. */
export function profileFile(): string {
  return path.join(process.env['XDG_CONFIG_HOME'] || path.join(os.homedir(), '.config'), 'esta', 'launcher.yaml');
}

/** @throws RequestError for a profile that cannot be read, or has keys or values that are not allowed */
export async function launcherOf({ launcher }: Pick<Experiment, 'launcher'>): Promise<Launcher> {
  const file = profileFile();
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return ''; // most have none
    throw explainReadError(error, file);
  });
  const document = parseYaml(text, file);
  const checked = check(launcherSchema, document.value ?? {});
  if ('problems' in checked) {
    throw new RequestError(
      formatProblems(file, checked.problems, document, []),
      'Correct the profile, or say it in the launcher section of the experiment file.',
    );
  }
  return { ...launcherDefaults, ...checked.config, ...launcher } as Launcher;
}
