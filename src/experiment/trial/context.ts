/** What all phases of a trial share. */
import type { TrialIdentity } from '../../run-folder/identity/trial-identity.js';
import type { RunWriter } from '../../run-folder/run-writer.js';
import type { Runtime } from '../../training/runtime.js';
import type { Recipe } from '../recipe.js';
import type { TrialData } from './trial-data.js';

/** What a trial is run with. */
export interface TrialRuntime extends Runtime {
  readonly writer: RunWriter;
  readonly identity: TrialIdentity;
  /** Where drawn images are kept. */
  readonly cacheFolder: string;
}

export interface TrialContext extends Runtime {
  /** Name of the trial, for people. */
  readonly name: string;
  readonly recipe: Recipe;
  readonly data: TrialData;
  /** Receives checkpoints, journals and results. */
  readonly trialFolder: string;
  /** Everything that the numbers depend on. */
  readonly identity: TrialIdentity;
  /** Name of the stage whose final run is all that is asked for: nothing is chosen of it for deployment. */
  readonly until?: string;
  /** Called with the epochs of this trial that are done, of all its trainings together, and the base rate under way. */
  readonly onEpoch: (epochsDone: number, baseLearningRate: number) => Promise<void>;
}
