/**
 * Run folders as the experiment runner leaves them, without any training: the stitch space of three anchors of depth 12
 * with the paper's FLOPs, and accuracies on a smooth curve with seeded noise.
 */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StitchResult, TrialResult, TrialStatus } from '../../src/run-folder/result.js';
import { Random } from '../../src/shared/random.js';

export const anchors = ['vit_tiny_patch16_224', 'vit_small_patch16_224', 'vit_base_patch16_224'] as const;
const widths = [192, 384, 768];
const ranks = [32, 16, 8];
const tokens = 197;

export interface FakeTrial {
  readonly dataset?: string;
  readonly method?: string;
  readonly seed?: number;
  readonly learningRate?: number;
  readonly state?: TrialStatus['state'];
  /** Accuracy of the largest anchor, percent; default 88. */
  readonly top?: number;
  /** Which stitches the trial has: deployed bins among all 71 (default), all without bins, or the anchors. */
  readonly stitches?: 'bins' | 'all' | 'anchors';
  /** FLOPs are multiplied by it, for the embedded family's small numbers; default 1. */
  readonly scale?: number;
  readonly change?: (result: TrialResult) => unknown;
}

/** Writes a run folder named `name` below `parent` (default: a new temporary folder) and returns its path. */
export async function writeRunFolder(trials: readonly FakeTrial[], name = 'fgvc', parent?: string): Promise<string> {
  const folder = path.join(parent ?? (await temporaryFolder()), name);
  await mkdir(path.join(folder, 'trials'), { recursive: true });
  await writeFile(path.join(folder, 'experiment.yaml'), `name: ${name}\n`);
  for (const trial of trials) await writeTrial(folder, trial);
  return folder;
}

/** A new folder that is removed when the test process ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-report-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function writeTrial(run: string, trial: FakeTrial): Promise<void> {
  const { dataset = 'stanford-cars', method = 'esta', seed = 0, learningRate = 1e-3, state = 'finished' } = trial;
  const folder = path.join(run, 'trials', `${dataset}-${method}-seed${seed}`);
  await mkdir(folder, { recursive: true });
  const identity = { version: 1 as const, dataset, method, seed, learningRate };
  const status: TrialStatus = { ...identity, state, epoch: state === 'finished' ? 100 : 37, epochs: 100 };
  await writeFile(path.join(folder, 'status.json'), JSON.stringify(status));
  if (state === 'waiting' || state === 'running') return;
  const result: TrialResult = {
    ...identity,
    status: state,
    stitches: state === 'finished' ? stitchResults(trial) : [],
    trainSeconds: 4321,
    epochs: 100,
    ...(state === 'failed' ? { error: 'the loss is not a number at step 120' } : {}),
  };
  await writeFile(path.join(folder, 'result.json'), JSON.stringify(trial.change ? trial.change(result) : result));
}

/** The 71 stitches of SN-Net's space in its order, evaluated. */
export function stitchResults(trial: FakeTrial = {}): StitchResult[] {
  const { top = 88, seed = 0, dataset = 'stanford-cars', method = 'esta', scale = 1 } = trial;
  const random = Random.of(seed, dataset, method);
  const space = stitchSpace();
  const largest = Math.max(...space.map(flopsOf));
  const results = space.map((stitchPath, id): StitchResult => {
    const flops = flopsOf(stitchPath);
    const accuracy = top - 4.2 * Math.log(largest / flops) ** 1.35 + 0.25 * random.normal();
    return {
      id,
      path: stitchPath.map(({ anchor, blocks }) => ({ anchor: anchors[anchor]!, blocks })),
      flops: Math.round(flops * scale),
      params: 5_000_000 + id,
      trainable: 300_000 + id,
      accuracy: Number(accuracy.toFixed(2)),
      importance: Number(random.uniform().toFixed(4)),
    };
  });
  if (trial.stitches === 'anchors') return results.slice(0, anchors.length);
  if (trial.stitches === 'all') return results;
  return withBins(results);
}

/** The most important stitch of each of 14 equal-width FLOPs bins is deployed. */
function withBins(results: readonly StitchResult[]): StitchResult[] {
  const flops = results.map((result) => result.flops);
  const [low, high] = [Math.min(...flops), Math.max(...flops)];
  const binOf = (value: number) => Math.min(13, Math.floor(((value - low) / (high - low)) * 14));
  const best = new Map<number, StitchResult>();
  for (const result of results) {
    const current = best.get(binOf(result.flops));
    if (!current || result.importance! > current.importance!) best.set(binOf(result.flops), result);
  }
  return results.map((result) => {
    const bin = binOf(result.flops);
    return best.get(bin) === result ? { ...result, bin } : result;
  });
}

interface Segment {
  readonly anchor: number;
  readonly blocks: [number, number];
}

function stitchSpace(): Segment[][] {
  const space: Segment[][] = anchors.map((_, anchor) => [{ anchor, blocks: [0, 12] }]);
  for (const front of [0, 1]) {
    for (let i = 0; i < 12; i++) {
      for (let j = Math.max(0, i - 1); j <= Math.min(11, i + 1); j++) {
        space.push([
          { anchor: front, blocks: [0, i + 1] },
          { anchor: front + 1, blocks: [j, 12] },
        ]);
      }
    }
  }
  return space;
}

/** Paper section 3 decoded: block, patch embedding, stitching layer of rank 96, final norm, head of 196 classes. */
function flopsOf(stitchPath: readonly Segment[]): number {
  const blocks = stitchPath.map(({ anchor, blocks: [from, to] }) => {
    const width = widths[anchor]!;
    const block = 12 * width ** 2 + 2 * tokens * width + 10 * width + 6 * width * ranks[anchor]!;
    return (to - from) * tokens * block;
  });
  const first = widths[stitchPath[0]!.anchor]!;
  const last = widths[stitchPath.at(-1)!.anchor]!;
  const stitchingLayer = stitchPath.length > 1 ? tokens * first * last + tokens * (first + last) * 96 : 0;
  return 196 * 768 * first + blocks.reduce((sum, value) => sum + value, 0) + stitchingLayer + (5 * tokens + 196) * last;
}
