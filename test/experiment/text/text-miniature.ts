/**
 * The smallest experiment on text: two LLaMAs of random weights and unequal depth in folders of their own, with the
 * tokenizer of the fixtures; word tasks; micro batches of two, two epochs. The space has 4 stitches.
 */
import path from 'node:path';
import type { TestContext } from 'node:test';
import { type Experiment, experimentSchema } from '../../../src/config/schema/experiment.js';
import type { Engine } from '../../../src/engine/engine.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { type RunOptions, runExperiment } from '../../../src/experiment/runner.js';
import { llamaConfigFrom } from '../../../src/models/llama/config.js';
import { llamaTensors } from '../../../src/models/llama/tensors.js';
import { initialWeights, publishedFrom } from '../../../src/models/weights.js';
import type { TrialResult } from '../../../src/run-folder/result.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { Random } from '../../../src/shared/random.js';
import { tinyJson, writeTinyLlama } from '../../models/llama/tiny-llama.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';

const seen = { max_position_embeddings: 256 };
const larger = { ...seen, hidden_size: 24, num_hidden_layers: 3, intermediate_size: 40 };

export const trial = 'word-tasks-esta-seed0';

export interface TextMiniature {
  readonly folder: string;
  readonly engine: Engine;
  /** As plain values of a YAML file; sections are merged. */
  document(changes?: Readonly<Record<string, unknown>>): object;
  experiment(changes?: Readonly<Record<string, unknown>>): Experiment;
  run(experiment: Experiment, runFolder: string, options?: Partial<RunOptions>): Promise<TrialResult[]>;
}

export async function textMiniature(test: TestContext): Promise<TextMiniature> {
  const folder = temporaryFolder(test);
  const engine = await createOnnxEngine({ threads: 1 });
  test.after(() => engine.dispose());
  for (const [name, json] of [
    ['S', seen],
    ['B', larger],
  ] as const) {
    const rows = llamaTensors(llamaConfigFrom({ ...tinyJson, ...json }, name));
    const stateDict = publishedFrom(initialWeights({ tensors: rows }, Random.of(0, name)), rows);
    await writeTinyLlama(path.join(folder, name), { stateDict } as never, { json });
  }
  const base: Readonly<Record<string, unknown>> = {
    name: 'text-miniature',
    anchors: ['S', 'B'].map((name) => ({ name, architecture: 'llama', checkpoint: path.join(folder, name) })),
    data: { kind: 'word-tasks', train_texts: 8, validation_texts: 4 },
    stitching: { fit_images: 4 },
    adaptation: { ranks: [2, 2], stitching_layer_rank: 2 },
    sampling: { bins: 2, warmup_epochs: 1 },
    training: { epochs: 2, batch_size: 4, base_learning_rates: [0.5], weight_decay: 0 },
    text: { cutoff: 64, micro_batch_size: 2, length_multiple: 64, weights: 'float32', warmup_steps: 1 },
  };
  const document = (changes: Readonly<Record<string, unknown>> = {}) => {
    const changed = Object.entries(changes).map(([name, value]) => {
      const isSection = typeof value === 'object' && !Array.isArray(value) && name !== 'data';
      return [name, isSection ? { ...(base[name] as object), ...value } : value];
    });
    return { ...base, ...Object.fromEntries(changed) };
  };
  return {
    folder,
    engine,
    document,
    experiment: (changes) => experimentSchema.parse(document(changes)),
    run: (experiment, runFolder, options = {}) =>
      runExperiment(experiment, {
        ...{ engine, progress: silentProgress, signal: new AbortController().signal },
        ...{ runFolder: path.join(folder, runFolder), cacheFolder: path.join(folder, 'cache') },
        ...options,
      }),
  };
}
