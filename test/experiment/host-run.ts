/** Whole runs without mathematics: real files, images, weights and folders around programs that answer what a test says. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import sharp from 'sharp';
import type { Experiment } from '../../src/config/schema/experiment.js';
import type { Engine, Value } from '../../src/engine/engine.js';
import type { RunOptions } from '../../src/experiment/runner.js';
import { architectureNamed } from '../../src/models/architectures.js';
import { float32 } from '../../src/shared/arrays.js';
import { silentProgress } from '../../src/shared/progress.js';
import { Random } from '../../src/shared/random.js';
import { type Miniature, miniature } from './miniature.js';
import { type Answers, type HostEngine, hostEngine, type Inputs } from './trial/host-engine.js';

/** Images of each of two classes. */
const counts = { train: 3, val: 1, test: 2 };

export interface HostRun extends Miniature {
  readonly root: string;
  /** On the folder of images; one epoch unless the changes say otherwise. */
  experiment(changes?: Readonly<Record<string, unknown>>): Experiment;
  /** What a user was told. */
  readonly told: string[];
  /** Runs on an engine of its own, in the folder `run` unless options name another. */
  start(experiment: Experiment, options?: StartOptions, answers?: Answers): Promise<Started>;
}

type StartOptions = Partial<RunOptions> & { readonly into?: string };

interface Started {
  readonly results: Awaited<ReturnType<Miniature['run']>>;
  readonly engine: HostEngine;
}

export async function hostRun(t: TestContext): Promise<HostRun> {
  const mini = await miniature(t);
  const root = path.join(mini.folder, 'images');
  await drawImages(root);
  const told: string[] = [];
  return {
    ...{ ...mini, root, told },
    experiment: (changes = {}) =>
      mini.experiment({
        data: { kind: 'image-folder', name: 'mine', root },
        ...changes,
        training: { epochs: 1, batch_size: 3, ...(changes['training'] as object) },
      }),
    async start(experiment, { into = 'run', ...options } = {}, answers = {}) {
      const engine = answering(answers);
      const progress = { ...silentProgress, line: (text: string) => void told.push(text) };
      return { results: await mini.run(experiment, into, { engine, progress, ...options }), engine };
    },
  };
}

/** Loss 1 and saliency 1; stitch n gets n modulo 3 of the two test images of each class right; features are noise. */
export function answering(answers: Answers): HostEngine {
  const engine: HostEngine = hostEngine({
    step: () => ({ loss: 1, saliency: 1 }),
    correct: (id) => id % 3,
    other: (program, inputs) => {
      const scalar = () => engine.put(float32([1]));
      if (program === 'teacher') return { logits: scalar(), loss: scalar(), gradients: {} };
      return featuresOf(engine, program, inputs);
    },
    ...answers,
  });
  return engine;
}

/** `features of NAME: 0,1 and 0,1` */
function featuresOf(engine: Engine, program: string, { inputs }: Inputs): object {
  const [, name, leaving, entering] = /^features of (\S+): ([\d,]*) and ([\d,]*)$/.exec(program)!;
  const { width, positions } = architectureNamed(name!).blocks[0]!;
  const images = (inputs as Value).shape[0]!;
  const features = (blocks: string) =>
    Object.fromEntries(
      blocks.split(',').map((block) => {
        const random = Random.of(0, program, block);
        const data = Float32Array.from({ length: images * positions * width }, () => random.uniform());
        return [block, engine.put(float32([images, positions, width], data))];
      }),
    );
  return { leaving: leaving ? features(leaving) : {}, entering: entering ? features(entering) : {} };
}

async function drawImages(root: string): Promise<void> {
  for (const [split, count] of Object.entries(counts)) {
    for (const [label, name] of ['dark', 'light'].entries()) {
      await mkdir(path.join(root, split, name), { recursive: true });
      for (let index = 0; index < count; index++) {
        const background = { r: 100 * label, g: 20 * index, b: 100 };
        const image = sharp({ create: { width: 64, height: 64, channels: 3, background } });
        await image.png().toFile(path.join(root, split, name, `${index}.png`));
      }
    }
  }
}
