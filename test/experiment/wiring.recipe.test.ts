/**
 * How settings reach a run: which images a step gets and how they are cropped, which rate, which split, which stitch.
 * Every image says by its pixels which it is and where it was cropped.
 */
import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { readTrained } from '../../src/experiment/trial/trained-file.js';
import { type Miniature, miniature, readLines } from './miniature.js';
import { type Call, watchedEngine } from './watched-engine.js';

/** Numbers of the images of each split, in two classes. */
const numbers = { train: [0, 1, 2, 3, 4, 5, 6, 7], val: [8, 9, 10, 11], test: [12, 13, 14, 15] };
/** Pixels of a side; 64 of them are cropped. */
const side = 72;

/** An image folder with red = 3 x column, green = 3 x row, blue = 16 x number. */
async function drawFolder(root: string): Promise<void> {
  for (const [split, ofSplit] of Object.entries(numbers)) {
    for (const number of ofSplit) {
      const folder = path.join(root, split, number % 2 === 0 ? 'even' : 'odd');
      await mkdir(folder, { recursive: true });
      const pixels = Array.from({ length: side * side }, (_, at) => [
        3 * (at % side),
        3 * Math.floor(at / side),
        16 * number,
      ]);
      const raw = { width: side, height: side, channels: 3 } as const;
      await sharp(Buffer.from(pixels.flat()), { raw })
        .png()
        .toFile(path.join(folder, `${number}.png`));
    }
  }
}

interface Seen {
  readonly number: number;
  /** Of the crop's corner in the image. */
  readonly left: number;
  readonly top: number;
  readonly isFlipped: boolean;
}

/** Reads the images [batch, 64, 64, 3] of a call; values are from -1 to 1. */
function seenIn({ inputs }: Call): Seen[] {
  const images = inputs['images'] ?? inputs['inputs']; // the latter where a network may also read tokens
  const [count, height, width] = images!.shape as [number, number, number];
  assert.deepEqual([height, width], [64, 64]);
  return Array.from({ length: count }, (_, image) => {
    const at = (row: number, column: number) => {
      const start = ((image * height + row) * width + column) * 3;
      return Array.from(images!.data.subarray(start, start + 3), (value) => Math.round((value + 1) * 127.5));
    };
    const [red, green, blue] = at(0, 0) as [number, number, number];
    const isFlipped = at(0, 1)[0]! < red;
    return { number: blue / 16, left: red / 3 - (isFlipped ? width - 1 : 0), top: green / 3, isFlipped };
  });
}

const sorted = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b);
const numbersOf = (calls: readonly Call[]) => sorted(calls.flatMap(seenIn).map(({ number }) => number));
const isStep = ({ program }: Call) => program.startsWith('step of stitch');
const isEvaluation = ({ program }: Call) => /accuracy$|^sweep/.test(program);
const rateOf = ({ inputs }: Call) => inputs['rate']!.data[0]!;

async function coded(mini: Miniature, changes: Readonly<Record<string, unknown>>) {
  const root = path.join(mini.folder, 'images');
  await drawFolder(root);
  return mini.experiment({
    data: { kind: 'image-folder', root },
    preprocessing: { resize: side, crop: 64 },
    training: { batch_size: 4, epochs: 2, warmup_epochs: 1, grid_epochs: 1, ...(changes['training'] as object) },
    ...Object.fromEntries(Object.entries(changes).filter(([name]) => name !== 'training')),
  });
}

/** Runs the experiment and returns what was computed, in order. */
async function callsOf(
  mini: Miniature,
  changes: Readonly<Record<string, unknown>>,
  correct: (call: Call, before: readonly Call[]) => readonly number[] | undefined = () => undefined,
) {
  const calls: Call[] = [];
  const engine = await watchedEngine((call) => {
    const replaced = correct(call, calls);
    calls.push(call);
    return replaced;
  });
  try {
    const [result] = await mini.run(await coded(mini, changes), 'watched', { engine });
    assert.equal(result!.status, 'finished', result!.error);
    return { calls, result: result! };
  } finally {
    await engine.dispose();
  }
}

test('the grid trains on the training images, chooses the best rate on the validation images; the final run takes both', async (t) => {
  const mini = await miniature(t);
  const rates = [0.08, 0.64, 0.16];
  // Of the four validation images the second rate answers most.
  const right = [1, 3, 2];
  const training = { base_learning_rates: rates, final_on: 'train+validation' };
  let tried = 0;
  const { calls, result } = await callsOf(mini, { training, sampling: { bins: 1 } }, (call, before) => {
    if (!isEvaluation(call) || !numbersOf([call]).every((number) => numbers.val.includes(number))) return undefined;
    if (before.length > 0 && isStep(before.findLast((other) => isStep(other) || isEvaluation(other))!)) tried++;
    return [0, 1, 2, 3].map((image) => (image < right[tried - 1]! ? 1 : 0));
  });
  assert.deepEqual(
    result.stages![0]!.grid,
    rates.map((learningRate, index) => ({ learningRate, accuracy: 25 * right[index]! })),
  );
  assert.equal(result.learningRate, 0.64);

  const steps = calls.filter(isStep);
  const [grid, final] = [steps.slice(0, 3 * 2), steps.slice(3 * 2)];
  // Peak = base x batch / 256. The grid: one epoch of two steps, half of them warm-up, as of the final run.
  const peaks = rates.map((rate) => (rate * 4) / 256);
  const close = (actual: number[], expected: number[]) => {
    assert.equal(actual.length, expected.length);
    for (const [index, value] of expected.entries()) assert.ok(Math.abs(actual[index]! - value) < 1e-7, `${actual}`);
  };
  close(
    grid.map(rateOf),
    peaks.flatMap((peak) => [peak, peak]),
  );
  // The final run: two epochs of three steps, the first of them warm-up; (1 + cos(k pi / 3)) / 2 = 1, 3/4, 1/4.
  const peak = peaks[1]!;
  close(final.map(rateOf), [peak / 3, (2 * peak) / 3, peak, peak, 0.75 * peak, 0.25 * peak]);

  // Every epoch has every image of its split once.
  for (const epoch of [0, 1, 2]) assert.deepEqual(numbersOf(grid.slice(2 * epoch, 2 * epoch + 2)), numbers.train);
  for (const epoch of [0, 1]) {
    assert.deepEqual(numbersOf(final.slice(3 * epoch, 3 * epoch + 3)), [...numbers.train, ...numbers.val]);
  }
  // What chooses sees validation images, what is reported test images; both see the middle as it is.
  const evaluations = calls.filter(isEvaluation);
  const firstFinal = calls.indexOf(final[0]!);
  assert.deepEqual(numbersOf(evaluations.filter((call) => calls.indexOf(call) < firstFinal)), numbers.val);
  assert.deepEqual(numbersOf(evaluations.filter((call) => calls.indexOf(call) > firstFinal)), numbers.test);
  for (const { left, top, isFlipped } of evaluations.flatMap(seenIn))
    assert.deepEqual([left, top, isFlipped], [4, 4, false]);
  // Stitching layers are fitted before, on training images as evaluation sees them.
  const before = calls.slice(0, calls.indexOf(steps[0]!));
  const fits = before.filter(({ program }) => program.startsWith('features of'));
  assert.ok(fits.length > 0 && numbersOf(fits).every((number) => numbers.train.includes(number)));
  for (const { left, top, isFlipped } of fits.flatMap(seenIn)) assert.deepEqual([left, top, isFlipped], [4, 4, false]);
});

test('training images are cropped at random and flipped, unless the file says otherwise', async (t) => {
  const mini = await miniature(t);
  const { calls } = await callsOf(mini, {});
  const seen = calls.filter(isStep).flatMap(seenIn);
  assert.equal(seen.length, 2 * numbers.train.length, 'final_on is by default train');
  assert.deepEqual(sorted(seen.map(({ number }) => number)), numbers.train);
  for (const { left, top } of seen) assert.ok(left >= 0 && left <= side - 64 && top >= 0 && top <= side - 64);
  assert.ok(new Set(seen.map(({ left }) => left)).size > 3 && new Set(seen.map(({ top }) => top)).size > 3);
  assert.ok(seen.some(({ left, top }) => left !== top));
  const flipped = seen.filter(({ isFlipped }) => isFlipped).length;
  assert.ok(flipped > 2 && flipped < seen.length - 2, `${flipped} of ${seen.length} are flipped`);
  // The teacher sees what the stitch sees.
  for (const [index, call] of calls.entries()) {
    if (call.program === 'teacher') assert.deepEqual(call.inputs['images'], calls[index + 1]!.inputs['images']);
  }

  const upright = await callsOf(await miniature(t), { preprocessing: { resize: side, crop: 64, flip: false } });
  assert.ok(
    upright.calls
      .filter(isStep)
      .flatMap(seenIn)
      .every(({ isFlipped }) => !isFlipped),
  );
});

test('SN-Net deploys of every bin what answers most of the validation images', async (t) => {
  const mini = await miniature(t);
  // Stitch n gets (7 n mod 3) of the four images right; ties go to fewer FLOPs or ids, so only the number is compared.
  const score = (id: number) => (7 * id) % 3;
  const idsOf = (program: string) => /^sweep of stitches (.*)$/.exec(program)?.[1]?.split(',').map(Number);
  const { calls, result } = await callsOf(mini, { methods: ['sn-net'], training: { epochs: 1 } }, ({ program }) =>
    idsOf(program)?.map(score),
  );
  assert.deepEqual(
    sorted(calls.flatMap(({ program }) => idsOf(program) ?? [])),
    Array.from({ length: 12 }, (_, id) => id),
  );
  const ofBins = result.stitches.filter(({ bin }) => bin !== undefined);
  assert.equal(ofBins.length, 2);
  for (const { id } of ofBins) assert.equal(score(id), 2, `stitch ${id}`);
});

test('the first step moves by the rate, its decay is rate x weight decay x start', async (t) => {
  const mini = await miniature(t);
  const one = { epochs: 1, batch_size: 12, warmup_epochs: 0 };
  const trained = async (name: string, training: object) => {
    const [result] = await mini.run(mini.experiment({ training: { ...one, ...training } }), name);
    assert.equal(result!.status, 'finished', result!.error);
    const folder = path.join(mini.folder, name, 'trials', 'species-esta-seed0');
    return (await readTrained(path.join(folder, 'trained.safetensors'))).trainables;
  };
  const flat = (tree: unknown): Map<string, Float32Array> => {
    const found = new Map<string, Float32Array>();
    const visit = (node: unknown, at: string): void => {
      if (typeof node !== 'object' || node === null) return;
      if ('data' in node) found.set(at, node.data as Float32Array);
      else for (const [name, below] of Object.entries(node)) visit(below, `${at}/${name}`);
    };
    visit(tree, '');
    return found;
  };
  const start = flat(await trained('start', { base_learning_rates: [1e-20], weight_decay: 0 }));
  const free = flat(await trained('free', { base_learning_rates: [0.64], weight_decay: 0 }));
  const decayed = flat(await trained('decayed', { base_learning_rates: [0.64], weight_decay: 2 }));
  const rate = (0.64 * 12) / 256;
  let moved = 0;
  let shrunk = 0;
  for (const [name, before] of start) {
    const isMatrix = /down|up|head.*weight/.test(name);
    for (const [index, value] of before.entries()) {
      const [plain, pulled] = [free.get(name)![index]!, decayed.get(name)![index]!];
      if (plain === value && pulled === value) continue;
      // AdamW's first step is the sign of the gradient times the rate; tiny gradients move by less.
      assert.ok(Math.abs(plain - value) < 1.001 * rate, name);
      if (Math.abs(plain - value) > 0.999 * rate) moved++;
      const decay = isMatrix ? rate * 2 * value : 0;
      assert.ok(Math.abs(plain - pulled - decay) < 1e-6, `${name}: ${plain - pulled}, expected ${decay}`);
      if (Math.abs(decay) > 1e-5) shrunk++;
    }
  }
  assert.ok(moved > 100 && shrunk > 100, `${moved} moved, ${shrunk} shrunk`);
});

test('the weight of distillation scales what a stitch learns from its teacher', async (t) => {
  const mini = await miniature(t);
  const lossWith = async (weight: number) => {
    const changes = { distillation: { weight }, training: { epochs: 1, batch_size: 12 } };
    await mini.run(mini.experiment(changes), `weight-${weight}`);
    const folder = path.join(mini.folder, `weight-${weight}`, 'trials', 'species-esta-seed0');
    const [line] = await readLines(path.join(folder, 'metrics.jsonl'));
    assert.ok(typeof line!['teacher_loss'] === 'number');
    return line!['loss'] as number;
  };
  const whole = await lossWith(1);
  assert.ok(Math.abs((await lossWith(0.25)) - whole / 4) < 1e-6 * whole);
});

test('stitches are drawn alike until the warm-up is over, then by scores with the momentum of the file', async (t) => {
  const mini = await miniature(t);
  // One bin, and so cold that its top stitch is drawn always.
  const sampling = { eta: 0.6, bins: 1, temperature: 1e-4, warmup_epochs: 1 };
  const { calls } = await callsOf(mini, { sampling, training: { epochs: 4 } });
  const folder = path.join(mini.folder, 'watched', 'trials');
  const [trial] = await readdir(folder);
  const lines = await readLines(path.join(folder, trial!, 'importance.jsonl'));

  const steps = calls.filter(isStep).map(({ program, outputs }) => ({
    id: Number(/^step of stitch (\d+)/.exec(program)![1]),
    saliency: outputs['measures']!.data[1]!,
  }));
  assert.equal(steps.length, 4 * 2);
  const scores = new Map<number, number>();
  const largest = 1;
  for (const [step, { id, saliency }] of steps.entries()) {
    const inBin = [...scores].filter(([scored]) => scored !== largest).sort(([, a], [, b]) => b - a);
    // With one score alone there is nothing to compare yet.
    if (step >= 2 && id !== largest && inBin.length > 1) assert.equal(id, inBin[0]![0], `step ${step}`);
    const before = scores.get(id);
    scores.set(id, before === undefined ? saliency : 0.6 * before + 0.4 * saliency);
    if (step % 2 === 0) continue;
    const { scores: noted, draws } = lines[(step - 1) / 2]! as { scores: (number | null)[]; draws: number[] };
    for (const [id, score] of noted.entries()) {
      const expected = scores.get(id) ?? null;
      if (expected === null) assert.equal(score, null);
      else assert.ok(Math.abs(score! - expected) < 1e-9 * expected, `stitch ${id}: ${score}, expected ${expected}`);
    }
    const drawn = [steps[step - 1]!.id, id];
    assert.ok(draws.every((count, id) => count === drawn.filter((other) => other === id).length));
  }
  assert.ok(new Set(steps.slice(2).map(({ id }) => id)).size < 4, 'the others are drawn no more');
});
