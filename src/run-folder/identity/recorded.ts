/** What a trial was trained with before, against what is asked for now. */
import path from 'node:path';
import type { z } from 'zod';
import type { AnchorConfig } from '../../config/schema/experiment.js';
import { experimentFields } from '../../config/schema/experiment-fields.js';
import { weightsFingerprint } from '../../models/pretrained/sources/weights-fingerprint.js';
import { RequestError } from '../../shared/errors.js';
import { exists, readJson } from '../../shared/files.js';
import { differencesOf } from '../../shared/identity/differences.js';
import { identityFile, type TrialIdentity, type TrialInputs, type TrialSettings } from './trial-identity.js';

type Section = Readonly<Record<string, unknown>>;

/** Settings that were recorded before there was some key: its default is what was done then. */
function withLaterKeys(before: object, now: object): object {
  const shape = experimentFields.shape as Readonly<Record<string, z.ZodType>>;
  const [recorded, asked] = [before as Section, now as Section];
  const filled = Object.entries(recorded).map(([name, section]) => {
    const [schema, later] = [shape[name], asked[name]];
    if (!schema || !isSection(section) || !isSection(later)) return [name, section] as const;
    const missing = Object.keys(later).filter((key) => !(key in section));
    const parsed = missing.length > 0 ? schema.safeParse(section) : undefined;
    const values = (parsed?.data ?? {}) as Section;
    return [name, { ...section, ...Object.fromEntries(missing.map((key) => [key, values[key]])) }] as const;
  });
  return Object.fromEntries(filled);
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Undefined where there is none: nothing was trained, or by a version that did not record it. */
export async function recordedIdentity(trialFolder: string): Promise<TrialIdentity | undefined> {
  const file = path.join(trialFolder, identityFile);
  return (await exists(file)) ? readJson<TrialIdentity>(file) : undefined;
}

/**
 * @param inputs left out: they are not there to be compared
 * @param advice what to do; default: of a run that goes on in the folder
 * @throws RequestError with what differs
 */
export function refuseOtherIdentity(
  trialFolder: string,
  recorded: TrialIdentity,
  { settings, computation }: TrialSettings,
  inputs?: TrialInputs,
  advice = `Restore what has changed, choose another folder with --out DIR, or delete ${trialFolder} to train it again.`,
): void {
  const { settings: before, computation: by, ...with_ } = recorded;
  const differences = [
    ...differencesOf(withLaterKeys(before, settings), settings),
    ...differencesOf(by, computation),
    ...(inputs ? differencesOf(with_, inputs) : []),
  ];
  if (differences.length === 0) return;
  throw new RequestError(
    `${path.basename(trialFolder)} was trained in another way:\n  ${differences.join('\n  ')}`,
    advice,
  );
}

/**
 * For whoever reads a trial that has ended: what it trained belongs to the weights of its anchors. Where an old version has
 * recorded none, nothing is compared.
 * @throws RequestError where the weights are other ones now, or not there
 */
export async function refuseOtherWeights(
  trialFolder: string,
  anchors: readonly Pick<AnchorConfig, 'name' | 'architecture' | 'checkpoint'>[],
): Promise<void> {
  const weights = (await recordedIdentity(trialFolder))?.weights ?? {};
  for (const { name, architecture, checkpoint } of anchors) {
    const before = weights[name];
    if (before === undefined || before === (await weightsFingerprint(checkpoint, architecture))) continue;
    throw new RequestError(
      `${path.basename(trialFolder)} was trained with other weights of anchor ${name} than ${checkpoint === 'embedded' ? 'this version embeds' : `${checkpoint} holds now`}`,
      checkpoint === 'embedded'
        ? 'environment.json of the run names the version that trained it: use that one, or train again into another folder.'
        : 'Put the weights back that it was trained with, or train again into another folder.',
    );
  }
}
