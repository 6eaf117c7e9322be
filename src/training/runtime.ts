/** What every long computation runs with. */
import type { Engine } from '../engine/engine.js';
import { Interrupted } from '../shared/errors.js';
import type { Progress } from '../shared/progress.js';

export interface Runtime {
  readonly engine: Engine;
  readonly progress: Progress;
  /** Aborted by Ctrl-C: the step under way is finished, everything is saved. */
  readonly signal: AbortSignal;
}

/**
 * @param what was under way, for people
 * @throws Interrupted where the user has asked to stop
 */
export function stopIfAborted({ signal }: Pick<Runtime, 'signal'>, what: string): void {
  if (signal.aborted) throw new Interrupted(`stopped in ${what}; what was trained is saved`);
}
