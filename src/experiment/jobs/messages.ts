/** What the process of `esta run --jobs` and its workers tell each other. */
import type { Experiment } from '../../config/schema/experiment.js';
import type { Variant } from '../../config/trials.js';
import type { Device, EngineChoice } from '../../shared/engine-names.js';
import type { ProgressFields } from '../../shared/progress.js';
import type { Outcome } from '../items/run-items.js';

/** What a worker works on. */
export interface Assignment {
  readonly experiment: Experiment;
  readonly variants: readonly Variant[];
  readonly runFolder: string;
  readonly cacheFolder: string;
  readonly reuse: readonly string[];
  readonly engine: EngineChoice;
  readonly device?: Device;
  readonly threads: number;
  /** What was typed. */
  readonly command: string;
}

/** To a worker: what it works on, once; then ids of items or names of trials, one after the other. */
export type Order = { readonly open: Assignment } | { readonly run: string };

/** From a worker. */
export type Report =
  | { readonly is: 'open' }
  /** It cannot work: the request is wrong, or the disk is full (exit status 1). */
  | { readonly is: 'refused'; readonly exitStatus: number; readonly message: string; readonly hint?: string }
  | { readonly is: 'outcome'; readonly id: string; readonly outcome: Outcome }
  /** It was asked to stop, and everything is saved. */
  | { readonly is: 'stopped' }
  | { readonly is: 'line'; readonly text: string }
  /** Whether steps are under way after which everything is saved. */
  | { readonly is: 'saving'; readonly saves: boolean }
  | ({ readonly is: 'progress' } & Position);

export interface Position {
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly fields: ProgressFields;
}
