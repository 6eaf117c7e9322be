/** Whether a device computes what the CPU does: a whole ESTA step of a small network, gradients included. */
import type { Engine, Value } from '../engine/engine.js';
import type { ViTVariant } from '../models/vit/variants.js';
import type { Precision } from '../shared/engine-names.js';
import { estaStepSetting } from './esta-step-benchmark.js';

export interface Parity {
  /** Relative difference of the stitch's loss, and of the cross-entropy of its teacher. */
  readonly loss: number;
  readonly teacher_loss: number;
  /** Length of the difference of all gradients together, as a share of their length. */
  readonly gradients: number;
  /** The tensor whose gradient differs most, by the same measure, of those that are not next to nothing. */
  readonly worst: { readonly tensor: string; readonly gradient: number };
  /** What `gradients` may be at most. */
  readonly tolerance: number;
  readonly agrees: boolean;
}

/** Of the gradients: rounding of 2^-24, 2^-11 and 2^-9 in two dozen layers and back. */
const tolerances: Readonly<Record<Precision, number>> = { float32: 1e-4, tf32: 1e-3, mixed: 2e-2 };

/** Gradients below this share of the largest are rounding alone. */
const negligible = 1e-4;

/** @param variants small to large, at least two @param reference computes in float32 */
export async function compareSteps(
  engine: Engine,
  reference: Engine,
  variants: readonly ViTVariant[],
): Promise<Parity> {
  const [actual, expected] = [await stepOn(engine, variants), await stepOn(reference, variants)];
  const [lengths, differences] = [new Map<string, number>(), new Map<string, number>()];
  for (const [name, gradient] of expected.gradients) {
    const other = actual.gradients.get(name)!;
    lengths.set(name, norm(gradient));
    differences.set(name, norm(gradient.map((number, index) => number - other[index]!)));
  }
  const largest = Math.max(...lengths.values());
  let worst = { tensor: '', gradient: 0 };
  for (const [tensor, length] of lengths) {
    const gradient = differences.get(tensor)! / length;
    if (length > negligible * largest && !(gradient <= worst.gradient)) worst = { tensor, gradient };
  }
  const gradients = norm([...differences.values()]) / norm([...lengths.values()]);
  const tolerance = tolerances[engine.precision];
  const loss = Math.abs(actual.loss / expected.loss - 1);
  const teacherLoss = Math.abs(actual.teacherLoss / expected.teacherLoss - 1);
  const agrees = [loss, teacherLoss, gradients].every((difference) => difference <= tolerance); // NaN is no agreement
  return { loss, teacher_loss: teacherLoss, gradients, worst, tolerance, agrees };
}

function norm(numbers: readonly number[]): number {
  return Math.sqrt(numbers.reduce((sum, number) => sum + number ** 2, 0));
}

async function stepOn(engine: Engine, variants: readonly ViTVariant[]) {
  const { state, step } = estaStepSetting(engine, variants, { batchSize: 4, rank: 8 });
  const { loss, teacherLoss } = await step(variants.length - 1);
  const gradients = new Map<string, number[]>();
  // The first moments of one step are the gradients, times 1 - beta1.
  for (const [name, value] of Object.entries(state.optimizer.expAvg)) {
    gradients.set(name, await numbersOf(engine, value));
  }
  engine.free(state);
  return { loss, teacherLoss: teacherLoss!, gradients };
}

async function numbersOf(engine: Engine, value: Value): Promise<number[]> {
  return Array.from((await engine.get(value)).data);
}
