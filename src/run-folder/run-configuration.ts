/**
 * experiment.yaml of a run folder: what all of its trials have in common, and which trials there are. A folder takes more
 * seeds, data sets and methods, and settings that decide no number; it refuses another configuration once something was
 * trained for the first.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { loadExperiment } from '../config/load.js';
import type { Experiment } from '../config/schema/experiment.js';
import { type Trial, trialsOf, type Variant } from '../config/trials.js';
import { formatYaml } from '../config/yaml-document.js';
import { RequestError } from '../shared/errors.js';
import { exists, explainWriteError, readJson, writeAtomic } from '../shared/files.js';
import { differencesOf } from '../shared/identity/differences.js';
import { datasetSettings, fingerprint, sharedSettings } from './identity/trial-identity.js';
import { runOfCheckpoint } from './leftovers.js';
import { isHeld } from './lock.js';

export interface RunRequest {
  /** As its file says it. */
  readonly given: Experiment;
  /** With the normalisation of its anchors. */
  readonly experiment: Experiment;
  /** What an ablation compares. */
  readonly variants: readonly Variant[];
}

export interface RunConfiguration {
  /** What experiment.yaml is to say. */
  readonly text: string;
  /** Fingerprint of what all trials have in common. */
  readonly fingerprint: string;
  /** Those of the folder, in their order, with those that are asked for now. */
  readonly trials: readonly Trial[];
  /** Whether nothing of what is in the folder is to be kept. */
  readonly isNew: boolean;
}

/** The experiment of a run folder, as experiment.yaml says it. @throws RequestError where that is missing or wrong */
export async function experimentIn(runFolder: string): Promise<Experiment> {
  return (await loadExperiment(experimentFile(runFolder))).config;
}

function experimentFile(runFolder: string): string {
  return path.join(runFolder, 'experiment.yaml');
}

/**
 * Writes nothing.
 * @throws RequestError with what differs where the folder was written for another configuration
 */
export async function configurationOf(folder: string, request: RunRequest): Promise<RunConfiguration> {
  const { given, experiment, variants } = request;
  const before = await recordedExperiment(folder);
  const differences = before ? differencesBetween(before, given) : [];
  const isNew = !before || differences.length > 0;
  if (differences.length > 0 && (await hasTrained(folder))) throw other(folder, differences);
  if (!before) await refuseOtherTrials(folder, trialsOf(experiment, variants));
  const merged = isNew ? experiment : joined(before, experiment);
  return {
    text: resolvedText(merged, experiment, variants),
    fingerprint: `2:${fingerprint(sharedSettings(given))}`,
    trials: trialsOf(merged, variants),
    isNew,
  };
}

/**
 * Before anything is said of a run that was not opened: its folder must hold what is asked for.
 * @throws RequestError as `configurationOf` does
 */
export async function refuseOtherConfiguration(
  folder: string,
  experiment: Experiment,
  variants: readonly Variant[] = [],
): Promise<void> {
  await configurationOf(folder, { given: experiment, experiment, variants });
}

/** Writes experiment.yaml where it changes, and removes the trials of a configuration for which nothing was trained. */
export async function writeConfiguration(folder: string, { text, trials, isNew }: RunConfiguration): Promise<void> {
  if (isNew) {
    const names = trials.map(({ name }) => name);
    for (const name of await namesIn(path.join(folder, 'trials'))) {
      const trial = path.join(folder, 'trials', name);
      // What is no trial is somebody else's.
      const isOurs = !names.includes(name) && (await exists(path.join(trial, 'status.json')));
      if (isOurs && !(await isTrained(trial))) await rm(trial, { recursive: true, force: true });
    }
  }
  const file = experimentFile(folder);
  const existing = await readFile(file, 'utf8').catch(() => undefined);
  if (existing !== text) await writeAtomic(file, text);
}

/** Undefined where there is none; one that cannot be read any more matters only if something was trained. */
async function recordedExperiment(folder: string): Promise<Experiment | undefined> {
  const file = experimentFile(folder);
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTDIR') throw explainWriteError(error, file); // a file is in the place of the folder
    return undefined;
  });
  if (!found) return undefined;
  try {
    return await experimentIn(folder);
  } catch (error) {
    if (!(error instanceof RequestError) || (await hasTrained(folder))) throw error;
    return undefined;
  }
}

/**
 * Where experiment.yaml is lost, what was trained for the trials that are asked for goes on: each compares its own identity.
 * @throws RequestError where others were trained, of which nothing says how
 */
async function refuseOtherTrials(folder: string, asked: readonly Trial[]): Promise<void> {
  const other = await trainedTrial(folder, (name) => !asked.some((trial) => trial.name === name));
  if (other === undefined) return;
  throw new RequestError(
    `${folder} holds ${other}, which was trained, and no experiment.yaml that says how`,
    'Put experiment.yaml back, or choose another folder with --out DIR.',
  );
}

/** Whether a trial of the folder has trained anything that would be lost, or is being trained. */
async function hasTrained(folder: string): Promise<boolean> {
  return (await trainedTrial(folder)) !== undefined;
}

/** The first trial of the folder, of those that count, that has trained anything or is being trained. */
async function trainedTrial(folder: string, counts = (_: string) => true): Promise<string | undefined> {
  const trials = path.join(folder, 'trials');
  for (const name of await namesIn(trials)) {
    if (counts(name) && (await isTrained(path.join(trials, name)))) return name;
  }
  return undefined;
}

/** Whether a step of the trial was saved, an epoch noted, or its result written; also while a process is at it. */
export async function isTrained(trialFolder: string): Promise<boolean> {
  if (await isHeld(trialFolder)) return true;
  for (const name of await namesIn(trialFolder)) {
    const file = path.join(trialFolder, name);
    if (name === 'trained.safetensors' || runOfCheckpoint(name) !== undefined) return true;
    // A base rate of the grid has a folder of its own while it is tried.
    if (/^(?!checkpoint-).*-grid-/.test(name) && (await isTrained(file))) return true;
    if (/^(metrics|grid)\.jsonl$/.test(name) && (await stat(file)).size > 0) return true;
    if (name !== 'result.json') continue;
    const result = await readJson<{ status?: unknown }>(file).catch(() => undefined);
    if (result?.status === 'finished') return true;
  }
  return false;
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
}

function differencesBetween(before: Experiment, now: Experiment): string[] {
  const inBoth = (experiment: Experiment, other: Experiment) => {
    const shared = experiment.data.filter(({ name }) => other.data.some((dataset) => dataset.name === name));
    return shared.map(datasetSettings).sort((a, b) => (a.name < b.name ? -1 : 1));
  };
  // What the file leaves out was filled in from the anchors, whose contents are compared trial by trial.
  const { mean, std } = now.preprocessing;
  const compared = (experiment: Experiment, other: Experiment) => {
    const preprocessing = { ...experiment.preprocessing, ...(!mean && { mean }), ...(!std && { std }) };
    return { ...sharedSettings({ ...experiment, preprocessing }), data: inBoth(experiment, other) };
  };
  return differencesOf(compared(before, now), compared(now, before));
}

function other(folder: string, differences: readonly string[]): RequestError {
  const shown = differences.slice(0, 20).map((line) => `  ${line}`);
  return new RequestError(
    `${folder} was written for another configuration:\n${shown.join('\n')}`,
    'Choose another folder with --out DIR, or restore the settings to go on.',
  );
}

/** The experiment of a folder with what is asked for now: more seeds, data sets and methods, and new paths. */
function joined(before: Experiment, now: Experiment): Experiment {
  const union = <T>(one: readonly T[], other: readonly T[]): T[] => [...new Set([...one, ...other])];
  const names = union(
    before.data.map(({ name }) => name),
    now.data.map(({ name }) => name),
  );
  const datasetOf = (name: string) =>
    now.data.find((dataset) => dataset.name === name) ?? before.data.find((dataset) => dataset.name === name)!;
  return {
    ...now,
    seeds: union(before.seeds, now.seeds),
    methods: union(before.methods, now.methods),
    data: names.map(datasetOf),
  };
}

/** The resolved configuration; what the variants of an ablation change stands below it as comments. */
function resolvedText(merged: Experiment, experiment: Experiment, variants: readonly Variant[]): string {
  const changes = variants.flatMap(({ name, experiment: changed }) => {
    const sections = Object.entries(changed).filter(
      ([section, value]) => JSON.stringify(value) !== JSON.stringify(experiment[section as keyof Experiment]),
    );
    const text = sections.length > 0 ? formatYaml(Object.fromEntries(sections)).trimEnd() : '(as above)';
    return [`variant ${name}`, ...text.split('\n').map((line) => `  ${line}`)];
  });
  return formatYaml(merged) + changes.map((line) => `# ${line}\n`).join('');
}
