/** What a run folder tells of one trial, as far as it can be read. */
import type { TrialAngles } from './gradient-angles.js';
import type { TrialAnswers } from './language/answers.js';
import type { TrialResult, TrialStatus } from './result.js';
import type { TrialJournal } from './trial-journal.js';
import type { TrialValidation } from './validation.js';

/** Only a finished trial has a result. */
export interface TrialRecord {
  /** Name of the run folder. */
  readonly run: string;
  /** Name of the trial folder. */
  readonly name: string;
  readonly state: TrialStatus['state'] | 'unreadable';
  /** Data set, method, seed, learning rate; undefined when neither file could be read. */
  readonly identity: Pick<TrialStatus, 'dataset' | 'method' | 'variant' | 'seed' | 'learningRate'> | undefined;
  readonly configuration: string | undefined;
  readonly result: TrialResult | undefined;
  readonly status: TrialStatus | undefined;
  readonly error: string | undefined;
  /** What the trial noted on the way; undefined where it cannot be read. */
  readonly journal: TrialJournal | undefined;
  /** Undefined where they have not been measured. */
  readonly angles: TrialAngles | undefined;
  /** Undefined where not all stitches were evaluated. */
  readonly validation: TrialValidation | undefined;
  /** Undefined where its stitches have not answered. */
  readonly answers?: TrialAnswers | undefined;
}
