/**
 * The smallest real experiment, for the tests of runs: two anchors with random weights in files of their own, drawn
 * species, batches of four, two epochs; four blocks each; the space has 12 stitches.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { type Experiment, experimentSchema } from '../../src/config/schema/experiment.js';
import { formatYaml } from '../../src/config/yaml-document.js';
import type { Engine } from '../../src/engine/engine.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { type RunOptions, runExperiment } from '../../src/experiment/runner.js';
import { architectureNamed } from '../../src/models/architectures.js';
import { readSafetensors, writeSafetensors } from '../../src/models/pretrained/formats/safetensors.js';
import { initialWeights, stateDictOf } from '../../src/models/weights.js';
import type { TrialResult } from '../../src/run-folder/result.js';
import { silentProgress } from '../../src/shared/progress.js';
import { Random } from '../../src/shared/random.js';

const anchors = [
  { name: 'Ti', architecture: 'vit_mini_tiny_depth4' },
  { name: 'S', architecture: 'vit_mini_small_depth4' },
] as const;

export interface Miniature {
  /** Everything the test writes; goes away with it. */
  readonly folder: string;
  readonly cacheFolder: string;
  /** The experiment as plain values of a YAML file, with changes: `document({training: {epochs: 1}})`. */
  document(changes?: Changes): object;
  experiment(changes?: Changes): Experiment;
  /** Writes the experiment as a file for `esta run` and returns its path. */
  write(changes?: Changes): Promise<string>;
  readonly engine: Engine;
  /** Runs an experiment in `runFolder`, below `folder`. */
  run(experiment: Experiment, runFolder: string, options?: Partial<RunOptions>): Promise<TrialResult[]>;
}

/** Sections to be merged, other fields to be replaced. */
type Changes = Readonly<Record<string, unknown>>;

/** Writes the anchors; folder and engine go away with the test. */
export async function miniature(test: TestContext): Promise<Miniature> {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-run-'));
  const engine = await createOnnxEngine({ threads: 1 });
  test.after(async () => {
    await engine.dispose();
    await rm(folder, { recursive: true, force: true });
  });
  for (const { name, architecture } of anchors) {
    const known = architectureNamed(architecture);
    const weights = stateDictOf(known, initialWeights(known, Random.of(0, name)));
    await writeSafetensors(path.join(folder, `${name}.safetensors`), weights);
  }
  const base: Readonly<Record<string, unknown>> = {
    name: 'miniature',
    anchors: anchors.map((anchor) => ({ ...anchor, checkpoint: path.join(folder, `${anchor.name}.safetensors`) })),
    data: { kind: 'species', classes: 2, train_images: 6, validation_images: 2, test_images: 6 },
    stitching: { fit_images: 4 },
    adaptation: { ranks: [2, 2], stitching_layer_rank: 2 },
    sampling: { bins: 2, warmup_epochs: 1 },
    training: { epochs: 2, batch_size: 4, base_learning_rates: [0.1], warmup_epochs: 0 },
    evaluation: { batch_size: 12 },
  };
  const document = (changes: Changes = {}) => {
    const changed = Object.entries(changes).map(([name, value]) => {
      const isSection = typeof value === 'object' && !Array.isArray(value) && name !== 'data';
      return [name, isSection ? { ...(base[name] as object), ...value } : value];
    });
    return { ...base, ...Object.fromEntries(changed) };
  };
  const cacheFolder = path.join(folder, 'esta');
  return {
    folder,
    cacheFolder,
    document,
    experiment: (changes) => experimentSchema.parse(document(changes)),
    async write(changes) {
      const file = path.join(folder, 'miniature.yaml');
      await writeFile(file, formatYaml(document(changes)));
      return file;
    },
    engine,
    run(experiment, runFolder, options = {}) {
      const { signal } = new AbortController();
      const surroundings = { engine, progress: silentProgress, signal, cacheFolder, ...options };
      return runExperiment(experiment, { ...surroundings, runFolder: path.join(folder, runFolder) });
    },
  };
}

/** What a trial left behind that must not depend on how often it was interrupted. */
export async function outcomeOf(runFolder: string, trial: string): Promise<unknown> {
  const file = (name: string) => path.join(runFolder, 'trials', trial, name);
  const result = JSON.parse(await readFile(file('result.json'), 'utf8')) as TrialResult;
  const { tensors } = await readSafetensors(file('trained.safetensors'));
  const { trainSeconds: _, deploySeconds: __, stages = [], ...rest } = result;
  return {
    result: { ...rest, stages: stages.map(({ trainSeconds: _, gridSeconds: __, ...stage }) => stage) },
    trained: Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, Buffer.from(data.buffer)])),
    metrics: (await readLines(file('metrics.jsonl'))).map(({ seconds: _, ...line }) => line),
    importance: await readLines(file('importance.jsonl')),
  };
}

/** Lines of JSON. */
export async function readLines(file: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(file, 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A progress that calls `onUpdate` for every sign of life with the label under way. */
export function watchedProgress(onUpdate: (label: string, done: number) => void): RunOptions['progress'] {
  let current = '';
  return {
    ...silentProgress,
    start(label) {
      current = label;
    },
    update(done) {
      onUpdate(current, done);
    },
  };
}
