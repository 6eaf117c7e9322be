/** Writes a run folder (its form: run-folder/run-folder.ts) and refuses to mix two configurations in one. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Experiment } from '../config/schema/experiment.js';
import { type Trial, trialsOf, type Variant } from '../config/trials.js';
import { formatYaml } from '../config/yaml-document.js';
import type { Engine } from '../engine/engine.js';
import { RequestError } from '../shared/errors.js';
import { readJson, writeAtomic } from '../shared/files.js';
import { programVersion } from '../shared/program.js';
import { parseTrialResult, resultVersion, type TrialResult, type TrialStatus } from './result.js';
import { copyTrial, finishedTrials } from './reuse.js';

export interface RunWriter {
  readonly folder: string;
  /** Fingerprint of the resolved configuration. */
  readonly configuration: string;
  trialFolder(trial: Trial): string;
  /** The result of a trial that was finished before; failed ones are run again. */
  finished(trial: Trial): Promise<TrialResult | undefined>;
  /** Takes over a trial of the same settings that is finished below one of the folders; undefined where there is none. */
  takeOver(trial: Trial, folders: readonly string[]): Promise<TrialResult | undefined>;
  status(trial: Trial, status: Omit<TrialStatus, Identity | 'updatedAt'>): Promise<void>;
  result(trial: Trial, result: Omit<TrialResult, Identity>): Promise<TrialResult>;
}

/** What the trial itself says of a status or a result. */
type Identity = 'version' | 'dataset' | 'method' | 'variant' | 'seed' | 'configuration';

/**
 * Opens a new run folder, or one that was written for the same configuration.
 * @param command what was typed, for whoever wants to go on with the run
 * @throws RequestError with the lines that differ when it was written for another one
 */
export async function openRunFolder(
  folder: string,
  experiment: Experiment,
  variants: readonly Variant[],
  engine: Engine,
  command?: string,
): Promise<RunWriter> {
  const resolved = resolvedText(experiment, variants);
  const trials = trialsOf(experiment, variants);
  const file = path.join(folder, 'experiment.yaml');
  const existing = await readFile(file, 'utf8').catch(() => undefined);
  if (existing !== undefined && existing !== resolved) throw differs(folder, existing, resolved);
  if (existing === undefined) await writeAtomic(file, resolved);
  await writeAtomic(
    path.join(folder, 'environment.json'),
    `${JSON.stringify({ command, ...(await environment(engine)), trials: trials.map(({ name }) => name) }, null, 2)}\n`,
  );
  const configuration = fingerprint(resolved);
  const trialFolder = ({ name }: Trial) => path.join(folder, 'trials', name);
  const identity = ({ dataset, method, variant, seed }: Trial) => ({
    version: resultVersion as typeof resultVersion,
    dataset: dataset.name,
    method,
    ...(variant && { variant }),
    seed,
    configuration,
  });
  const write = (trial: Trial, name: string, content: unknown) =>
    writeAtomic(path.join(trialFolder(trial), name), `${JSON.stringify(content, null, 2)}\n`);
  const writeResult: RunWriter['result'] = async (trial, result) => {
    const whole = { ...identity(trial), settings: settingsOf(trial, engine), ...result };
    await write(trial, 'result.json', whole);
    return whole;
  };
  const writer: RunWriter = {
    folder,
    configuration,
    trialFolder,
    finished: async (trial) => {
      const resultFile = path.join(trialFolder(trial), 'result.json');
      if (!(await readFile(resultFile).catch(() => undefined))) return undefined;
      const result = parseTrialResult(await readJson(resultFile), resultFile);
      return result.status === 'finished' ? result : undefined;
    },
    takeOver: async (trial, folders) => {
      const source = (await finishedTrials(folders)).get(settingsOf(trial, engine));
      if (!source) return undefined;
      await copyTrial(source.folder, trialFolder(trial));
      const { variant: _, ...numbers } = source.result; // its name in the study that it comes from
      const result = await writeResult(trial, { ...numbers, ...identity(trial), takenFrom: source.folder });
      await writer.status(trial, { state: 'finished', learningRate: result.learningRate });
      return result;
    },
    status: (trial, status) =>
      write(trial, 'status.json', { ...identity(trial), ...status, updatedAt: new Date().toISOString() }),
    result: writeResult,
  };
  for (const trial of trials) {
    const known = await readFile(path.join(trialFolder(trial), 'status.json')).catch(() => undefined);
    if (!known) await writer.status(trial, { state: 'waiting', learningRate: 0 });
  }
  return writer;
}

/** Fingerprint of all that decides the numbers of a trial; in which experiment or study it stands does not matter. */
function settingsOf({ dataset, method, seed, experiment }: Trial, engine: Engine): string {
  const { name: _, claim: __, seeds: ___, methods: ____, data: _____, ...settings } = experiment;
  const sorted = Object.entries({ ...settings, dataset, method, seed, engine: engine.name }).sort();
  return fingerprint(JSON.stringify(sorted));
}

function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** The resolved configuration; what the variants of an ablation change stands below it as comments. */
function resolvedText(experiment: Experiment, variants: readonly Variant[]): string {
  const changes = variants.flatMap(({ name, experiment: changed }) => {
    const sections = Object.entries(changed).filter(
      ([section, value]) => JSON.stringify(value) !== JSON.stringify(experiment[section as keyof Experiment]),
    );
    const text = sections.length > 0 ? formatYaml(Object.fromEntries(sections)).trimEnd() : '(as above)';
    return [`variant ${name}`, ...text.split('\n').map((line) => `  ${line}`)];
  });
  return formatYaml(experiment) + changes.map((line) => `# ${line}\n`).join('');
}

async function environment(engine: Engine): Promise<object> {
  const { version: esta, ...checkout } = await programVersion();
  return {
    esta,
    ...checkout,
    engine: engine.name,
    device: engine.device,
    node: process.version,
    platform: `${os.platform()} ${os.arch()}`,
    cpu: os.cpus()[0]?.model,
    cores: os.cpus().length,
    memory_gib: Math.round(os.totalmem() / 2 ** 30),
  };
}

function differs(folder: string, existing: string, resolved: string): RequestError {
  const [before, after] = [existing.split('\n'), resolved.split('\n')];
  const removed = before.filter((line) => !after.includes(line)).map((line) => `  there: ${line.trim()}`);
  const added = after.filter((line) => !before.includes(line)).map((line) => `  now:   ${line.trim()}`);
  return new RequestError(
    `${folder} was written for another configuration:\n${[...removed, ...added].slice(0, 20).join('\n')}`,
    'Choose another folder with --out DIR, or restore the settings to go on.',
  );
}
