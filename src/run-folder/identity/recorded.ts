/** What a trial was trained with before, against what is asked for now. */
import path from 'node:path';
import { RequestError } from '../../shared/errors.js';
import { exists, readJson } from '../../shared/files.js';
import { differencesOf } from '../../shared/identity/differences.js';
import { identityFile, type TrialIdentity, type TrialInputs, type TrialSettings } from './trial-identity.js';

/** Undefined where there is none: nothing was trained, or by a version that did not record it. */
export async function recordedIdentity(trialFolder: string): Promise<TrialIdentity | undefined> {
  const file = path.join(trialFolder, identityFile);
  return (await exists(file)) ? readJson<TrialIdentity>(file) : undefined;
}

/**
 * @param inputs left out: they are not there to be compared
 * @throws RequestError with what differs
 */
export function refuseOtherIdentity(
  trialFolder: string,
  recorded: TrialIdentity,
  { settings, computation }: TrialSettings,
  inputs?: TrialInputs,
): void {
  const { settings: before, computation: by, ...with_ } = recorded;
  const differences = [
    ...differencesOf(before, settings),
    ...differencesOf(by, computation),
    ...(inputs ? differencesOf(with_, inputs) : []),
  ];
  if (differences.length === 0) return;
  throw new RequestError(
    `${path.basename(trialFolder)} was trained in another way:\n${differences.map((line) => `  ${line}`).join('\n')}`,
    `Restore what has changed, choose another folder with --out DIR, or delete ${trialFolder} to train it again.`,
  );
}
