/** `esta run FILE --list`: every item of an experiment, how far it is, and what it takes; computes and writes nothing. */
import type { Experiment } from '../../config/schema/experiment.js';
import { trialsOf, type Variant } from '../../config/trials.js';
import { durationLabel } from '../../report/curves/labels.js';
import { renderText } from '../../report/render/render-text.js';
import { none, type Table } from '../../report/render/table.js';
import { describeHolder } from '../../run-folder/lock.js';
import { refuseOtherConfiguration } from '../../run-folder/run-configuration.js';
import { formatCost } from '../../shared/costs/format-cost.js';
import { planOf } from '../plan.js';
import { estimatesIn, type StageEstimate } from './estimates.js';
import { type Item, itemsOfPlan } from './item.js';
import { type ItemState, statesOf } from './states.js';

/** `--list --json` prints it as it is. */
export interface Listing {
  readonly run: string;
  readonly items: readonly ListedItem[];
}

export interface ListedItem {
  /** Position in the list, from 0, which `--only` takes too. */
  readonly index: number;
  readonly id: string;
  readonly does: Item['does'];
  readonly state: ItemState['state'];
  readonly waits_for: readonly string[];
  /** Training steps; left out where the number of images is not known. */
  readonly steps?: number;
  /** Of training; left out where steps are. */
  readonly seconds?: number;
  /** Whether the seconds of a step are those that a finished trial of this run folder took. */
  readonly measured: boolean;
  /** Multiply-accumulates of a training step, on average. */
  readonly step_macs?: number;
  readonly memory_bytes?: number;
  readonly checkpoint_bytes?: number;
  /** Who runs it: "process 12 on this machine, since ...". */
  readonly holder?: string;
  readonly error?: string;
}

/**
 * @param cores that a process computes with
 * @param variants what an ablation compares
 * @throws RequestError for anchors that are not known or cannot be stitched, and for a folder of another configuration
 */
export async function listItems(
  experiment: Experiment,
  runFolder: string,
  cores: number,
  variants: readonly Variant[] = [],
): Promise<Listing> {
  await refuseOtherConfiguration(runFolder, experiment, variants);
  const plan = await planOf(experiment, runFolder, variants, { countsFolders: true });
  const items = itemsOfPlan(plan);
  const states = await statesOf(runFolder, items);
  const trials = trialsOf(experiment, variants);
  const ofTrial = new Map(trials.map((trial, index) => [trial.name, { trial, recipe: plan.trials[index]!.recipe }]));
  const finished = trials.filter(({ name }) => states.get(`${name}/evaluation`)!.state === 'finished');
  const estimate = estimatesIn(runFolder, finished, cores);
  const listed: ListedItem[] = [];
  for (const [index, item] of items.entries()) {
    const { trial, recipe } = ofTrial.get(item.trial)!;
    const stage = item.does === 'evaluation' ? undefined : await estimate(trial, recipe, item.stage);
    listed.push({ index, ...entry(item, states.get(item.id)!), ...sizes(item, stage) });
  }
  return { run: runFolder, items: listed };
}

/** Of what is not finished: the most bytes that a process takes, and the most multiply-accumulates of a step. */
export function largestOf({ items }: Listing): { readonly processBytes: number; readonly stepMacs: number } {
  const left = items.filter(({ state }) => state !== 'finished');
  return {
    processBytes: Math.max(0, ...left.map(({ memory_bytes = 0 }) => memory_bytes)),
    stepMacs: Math.max(0, ...left.map(({ step_macs = 0 }) => step_macs)),
  };
}

function entry({ id, does, waitsFor, steps }: Item, { state, holder, error }: ItemState) {
  return {
    ...{ id, does, state, waits_for: waitsFor },
    ...(steps !== undefined && { steps }),
    ...(holder && { holder: describeHolder(holder) }),
    ...(error !== undefined && { error }),
  };
}

function sizes({ steps }: Item, stage: StageEstimate | undefined) {
  if (!stage) return { measured: false };
  const { secondsPerStep, isMeasured: measured, macsPerStep, memoryBytes, checkpointBytes } = stage;
  return {
    ...(steps !== undefined && { seconds: steps * secondsPerStep }),
    ...{ measured, step_macs: Math.round(macsPerStep) },
    ...{ memory_bytes: Math.round(memoryBytes), checkpoint_bytes: checkpointBytes },
  };
}

/** The error, or the state with who runs it. */
export function stateCell({ state, holder, error }: Pick<ListedItem, 'state' | 'holder' | 'error'>): string {
  return error ?? (holder ? `${state}: ${holder}` : state);
}

/** The listing for people. @param width characters of a line; default unlimited */
export function formatListing({ items }: Listing, width?: number): string {
  const done = new Set(items.flatMap(({ id, state }) => (state === 'finished' ? [id] : [])));
  const isGuess = items.some(({ seconds, measured }) => seconds !== undefined && !measured);
  const table: Table = {
    name: 'items',
    title: `Items: ${done.size} of ${items.length} finished`,
    columns: [
      { key: 'index', label: '#', kind: 'number', precision: 0 },
      { key: 'id', label: 'Item', kind: 'text' },
      { key: 'state', label: 'State', kind: 'text' },
      { key: 'waits', label: 'Waits for', kind: 'text' },
      { key: 'steps', label: 'Steps', kind: 'number', precision: 0 },
      { key: 'time', label: 'Time', kind: 'number' },
      { key: 'memory', label: 'Memory', kind: 'number' },
    ],
    rows: items.map((item) => ({
      cells: {
        index: item.index,
        id: item.id,
        state: stateCell(item),
        waits: waitsOf(item, done),
        steps: item.steps ?? none,
        time: item.seconds === undefined ? none : durationLabel(item.seconds),
        memory: item.memory_bytes === undefined ? none : formatCost('size', item.memory_bytes),
      },
    })),
    notes: isGuess ? ['Time: guessed from multiply-accumulates until a trial of the method is finished here'] : [],
  };
  return renderText(table, width);
}

/** What is left of it. */
function waitsOf({ state, waits_for }: ListedItem, done: ReadonlySet<string>): string {
  if (state !== 'waiting') return '–';
  return waits_for
    .filter((id) => !done.has(id))
    .map((id) => id.slice(id.indexOf('/') + 1))
    .join(', ');
}
