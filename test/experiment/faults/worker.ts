/**
 * A process that works on a run folder until all trials are finished, whatever happens to others. Says `begin` when it looks
 * at the folder, and what a user would read. Arguments: a file with the experiment as JSON, the run folder, the cache.
 */
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Experiment } from '../../../src/config/schema/experiment.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { runExperiment } from '../../../src/experiment/runner.js';
import { RequestError } from '../../../src/shared/errors.js';
import { silentProgress } from '../../../src/shared/progress.js';

const [file, runFolder, cacheFolder] = process.argv.slice(2) as [string, string, string];
const experiment = JSON.parse(readFileSync(file, 'utf8')) as Experiment;
const engine = await createOnnxEngine({ threads: 1 });
const { signal } = new AbortController();
const progress = { ...silentProgress, line: (text: string) => console.log(text) };
for (;;) {
  console.log('begin');
  try {
    const results = await runExperiment(experiment, { runFolder, cacheFolder, engine, progress, signal });
    if (results.length === experiment.seeds.length) break;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    console.log(error.message);
  }
  await setTimeout(200);
}
await engine.dispose();
