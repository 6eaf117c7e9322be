/** The story of one experiment: its trials, one after the other; what is finished is not run again. */
import os from 'node:os';
import path from 'node:path';
import { trialsOf } from '../config/plan.js';
import type { Experiment } from '../config/schema.js';
import type { Engine } from '../engine/engine.js';
import type { TrialResult } from '../report/result.js';
import { messageOf, TrialError } from '../shared/errors.js';
import type { Progress } from '../shared/progress.js';
import { openRunFolder } from './run-writer.js';
import { runTrial } from './trial.js';

export interface RunOptions {
  readonly runFolder: string;
  readonly engine: Engine;
  readonly progress: Progress;
  /** Aborted by Ctrl-C: the step under way is finished, everything is saved. */
  readonly signal: AbortSignal;
  /** Default: the user's cache folder. */
  readonly cacheFolder?: string;
}

/**
 * Runs what is not finished yet. A failed trial is recorded and the others still run.
 * @throws RequestError, Interrupted
 */
export async function runExperiment(experiment: Experiment, options: RunOptions): Promise<TrialResult[]> {
  const { engine, progress, signal, cacheFolder = defaultCacheFolder() } = options;
  const writer = await openRunFolder(options.runFolder, experiment, engine);
  const results: TrialResult[] = [];
  for (const trial of trialsOf(experiment)) {
    const finished = await writer.finished(trial);
    if (finished) {
      progress.line(`${trial.name}: finished before`);
      results.push(finished);
      continue;
    }
    await writer.status(trial, { state: 'running', learningRate: 0 });
    try {
      const result = await runTrial(trial, { engine, experiment, writer, progress, signal, cacheFolder });
      await writer.status(trial, { state: 'finished', learningRate: result.learningRate });
      results.push(result);
    } catch (error) {
      progress.stop();
      if (!(error instanceof TrialError)) throw error;
      await writer.status(trial, { state: 'failed', learningRate: 0, error: messageOf(error) });
      const failed = { status: 'failed', error: messageOf(error), learningRate: 0 } as const;
      results.push(await writer.result(trial, { ...failed, stitches: [], trainSeconds: 0, epochs: 0 }));
      progress.line(`${trial.name} failed: ${messageOf(error)}${error.hint ? `\n${error.hint}` : ''}`);
    }
  }
  return results;
}

/** `$XDG_CACHE_HOME/esta`, or ~/.cache/esta. */
function defaultCacheFolder(): string {
  return path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'esta');
}
