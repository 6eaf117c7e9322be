/** Runs single items of an experiment in this process, each claimed, so that any number of processes work on one folder. */
import { setTimeout } from 'node:timers/promises';
import type { Experiment } from '../../config/schema/experiment.js';
import type { Variant } from '../../config/trials.js';
import { claimFolder, describeHolder, type Holder } from '../../run-folder/lock.js';
import { openRunFolder } from '../../run-folder/run-writer.js';
import { Interrupted, isExpected, RequestError, type TrialError } from '../../shared/errors.js';
import { stopIfAborted } from '../../training/runtime.js';
import { claimedTrial, recordFailure, type Surroundings } from '../claimed-trial.js';
import { type RequestedTrial, requestedRun } from '../recorded-trials.js';
import { runRate } from '../trial/rate.js';
import type { Item } from './item.js';
import { type ItemState, statesOf } from './states.js';

/** How an item, or a whole trial, ended here. */
export type Outcome =
  | { readonly state: 'finished' }
  | { readonly state: 'failed'; readonly error: string; readonly hint?: string }
  | { readonly state: 'waiting'; readonly waitsFor: readonly string[] }
  | { readonly state: 'held'; readonly heldBy: Holder | undefined };

export interface OpenItems {
  /** @param id of an item, or the name of a trial: what is left of it */
  run(id: string): Promise<Outcome>;
  /**
   * The same, once what it waits for is done and no other process is at it.
   * @throws Interrupted
   */
  runPatiently(id: string): Promise<Outcome>;
}

export interface ItemsRequest extends Omit<Surroundings, 'isAlone' | 'onFailure'> {
  readonly experiment: Experiment;
  readonly variants: readonly Variant[];
  /** Of the whole experiment. */
  readonly items: readonly Item[];
  /** Names of the trials whose items will be run; default all. */
  readonly trials?: ReadonlySet<string>;
  /** What was typed, to be recorded. */
  readonly command?: string;
}

/**
 * Opens the run folder, and checks what the trials depend on.
 * @throws RequestError
 */
export async function openItems(request: ItemsRequest): Promise<OpenItems> {
  const { runFolder, engine, progress, cacheFolder, reuse, items, trials: asked } = request;
  const { experiment, variants, trials } = await requestedRun(request.experiment, request.variants, {
    ...{ runFolder, engine, cacheFolder, reuse, say: (note: string) => progress.line(note) },
    isAsked: asked && ((name) => asked.has(name)),
  });
  const folderRequest = { given: request.experiment, experiment, variants };
  const writer = await openRunFolder(runFolder, folderRequest, engine, request.command);
  const attempt = async (requested: RequestedTrial, item: Item | undefined): Promise<Outcome> => {
    const { trial } = requested;
    if (item?.does !== 'rate') {
      const until = item?.does === 'training' ? item.stage : undefined;
      let failed: Outcome | undefined;
      const onFailure = (failure: TrialError | RequestError) => {
        failed = failedBy(failure);
      };
      const outcome = await claimedTrial(requested, writer, { ...request, isAlone: false, onFailure }, until);
      if (outcome && 'heldBy' in outcome) return { state: 'held', heldBy: outcome.heldBy };
      return failed ?? { state: 'finished' };
    }
    const identity = requested.recorded ?? { ...requested.settings, ...(await requested.inputs()) };
    try {
      const elsewhere = await runRate(trial, { ...request, writer, identity }, item.stage, item.rate);
      return elsewhere ? { state: 'held', heldBy: elsewhere.heldBy } : { state: 'finished' };
    } catch (error) {
      if (!isExpected(error) || error instanceof Interrupted) throw error;
      const lock = await claimFolder(writer.trialFolder(trial));
      if (!('heldBy' in lock)) await recordFailure(writer, trial, error).finally(() => lock.release());
      return failedBy(error);
    }
  };
  const opened: OpenItems = {
    async run(id) {
      const item = items.find((item) => item.id === id);
      const name = item?.trial ?? id;
      const requested = trials.find(({ trial }) => trial.name === name)!;
      const ofTrial = items.filter(({ trial }) => trial === name);
      const states = await statesOf(runFolder, ofTrial);
      if (item && states.get(id)!.state === 'finished') return { state: 'finished' };
      const waitsFor = leftBefore(item, states);
      if (waitsFor.length > 0) return { state: 'waiting', waitsFor };
      return attempt(requested, item);
    },
    async runPatiently(id) {
      let told = '';
      for (;;) {
        const outcome = await opened.run(id);
        if (outcome.state !== 'waiting' && outcome.state !== 'held') return outcome;
        const failed = await failedBefore(outcome);
        if (failed !== undefined) return { state: 'failed', error: `it waits for what has failed: ${failed}` };
        const sentence = describeOutcome(id, outcome);
        if (sentence !== told) progress.line(sentence);
        told = sentence;
        stopIfAborted(request, id);
        await setTimeout(patience, undefined, { signal: request.signal }).catch(() => {});
      }
    },
  };
  /** Why nothing that it waits for will come. */
  const failedBefore = async (outcome: Outcome): Promise<string | undefined> => {
    if (outcome.state !== 'waiting') return undefined;
    const [first] = outcome.waitsFor;
    const name = items.find(({ id }) => id === first)!.trial;
    const states = await statesOf(
      runFolder,
      items.filter(({ trial }) => trial === name),
    );
    const evaluation = states.get(`${name}/evaluation`)!;
    return evaluation.state === 'failed' ? evaluation.error : undefined;
  };
  return opened;
}

/** What an item waits for that is not finished; a whole trial waits for nothing. */
export function leftBefore(item: Item | undefined, states: ReadonlyMap<string, ItemState>): string[] {
  return (item?.waitsFor ?? []).filter((other) => states.get(other)!.state !== 'finished');
}

/** The outcome of a trial, or of an item, that has failed. */
export function failedBy({ message: error, hint }: TrialError | RequestError): Outcome {
  return { state: 'failed', error, ...(hint !== undefined && { hint }) };
}

/** Milliseconds between two looks at a shared folder. */
const patience = 2000;

/** For people. */
export function describeOutcome(id: string, outcome: Outcome): string {
  switch (outcome.state) {
    case 'finished':
      return `${id}: finished`;
    case 'failed':
      return `${id} failed: ${outcome.error}${outcome.hint ? `\n${outcome.hint}` : ''}`;
    case 'waiting':
      return `${id} waits for ${outcome.waitsFor.join(', ')}`;
    case 'held':
      return `${id} is being run by ${outcome.heldBy ? describeHolder(outcome.heldBy) : 'another process'}`;
  }
}

/**
 * The items and trials that `--only` names.
 * @param named ids, names of trials, or positions in the list, from 0
 * @throws RequestError for one that there is not
 */
export function namedItems(items: readonly Item[], named: readonly string[]): string[] {
  const known = new Set(items.flatMap(({ id, trial }) => [id, trial]));
  return named.map((name) => {
    const item = /^\d+$/.test(name) ? items[Number(name)] : undefined;
    if (item) return item.id;
    if (known.has(name)) return name;
    throw new RequestError(
      `--only ${name}: there is no such item; the experiment has ${items.length}: ${items[0]!.id} ... ${items.at(-1)!.id}`,
      'The same command with --list names them; a number counts them from 0, the name of a trial stands for all that is left of it.',
    );
  });
}
