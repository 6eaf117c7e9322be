/** Accuracy of single stitches of a trained palette on one split. The images are decoded once, for all of them. */
import type { BatchLoader } from '../data/batches.js';
import type { Engine, Value } from '../engine/engine.js';
import { accuracyOf } from '../evaluation/accuracy.js';
import type { Progress } from '../shared/progress.js';
import { frozenPathOf, runStitch } from '../stitching/stitchable-network.js';
import { trainablesOf } from '../stitching/trainables.js';
import type { Named } from '../training/optimizer.js';
import type { Palette } from './palette.js';

/** @returns percent, in the order of `ids` */
export async function accuraciesOf(
  engine: Engine,
  { space, network, variants, frozen }: Palette,
  trainables: Named<Value>,
  ids: readonly number[],
  loader: BatchLoader,
  progress: Progress,
  label: string,
): Promise<number[]> {
  const accuracies: number[] = [];
  progress.start(label, ids.length);
  for (const id of ids) {
    const stitch = space.stitches[id]!;
    const names = Object.keys(trainablesOf(stitch, space, network));
    const inputs = {
      frozen: frozenPathOf(frozen, [stitch]),
      trainables: Object.fromEntries(names.map((name) => [name, trainables[name]!])),
    };
    const logits = (given: unknown, images: Parameters<typeof runStitch>[3]) => {
      const parts = given as { frozen: Parameters<typeof runStitch>[1]; trainables: Parameters<typeof runStitch>[2] };
      return runStitch(stitch, parts.frozen, parts.trainables, images, variants);
    };
    accuracies.push(await accuracyOf(engine, `stitch ${id}`, logits as never, inputs as never, loader));
    progress.update(accuracies.length);
  }
  progress.stop();
  return accuracies;
}
