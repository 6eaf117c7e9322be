/**
 * Evaluates every stitch of a space, as SN-Net has to before it can choose. Stitches from one anchor to another run
 * together: their common front blocks once, and each end block once for all stitches that have entered it. What comes
 * after a stitching layer cannot be shared, since each stitch brings other features; so what this saves is the fronts, a
 * fifth of the FLOPs of ViT-Ti/S/B, and most of the programs: one for two anchors, not one for each stitch.
 */
import type * as tf from '@tensorflow/tfjs';
import type { Batch, BatchLoader } from '../data/batches/batches.js';
import { imagesFrom } from '../data/batches/pixel-images.js';
import type { Engine, Value } from '../engine/engine.js';
import { int32 } from '../shared/arrays.js';
import { type Shape, trainableShapes } from '../stitching/parameters/shapes.js';
import { joinTrainables, noTrainables, pickTrainables, type Trainables } from '../stitching/parameters/trainables.js';
import { firstAnchor, isAnchor, lastAnchor, type Stitch } from '../stitching/space/stitch.js';
import { type FrozenPath, frozenPathOf, runStitch, runTogether } from '../stitching/stitchable-network.js';
import { imagesOnDevice } from '../training/images/on-device.js';
import type { StitchedNetwork } from '../training/step-runner.js';
import { refuseDiverged } from './accuracy.js';

/** Images x stitches that run together: as many as an evaluation batch has images. More was not faster on a CPU. */
const rowsTogether = 64;

interface Inputs {
  readonly frozen: FrozenPath<tf.Tensor>;
  readonly trainables: Trainables<tf.Tensor>;
  readonly images: tf.Tensor;
  readonly labels: tf.Tensor;
}

/** Whether all stitches run their common blocks with the same weights: none brings biases or updates of its own. */
export function sharesBlocks({ adaptation }: StitchedNetwork['network']): boolean {
  return adaptation === 'full' || !(adaptation.stitchBias || adaptation.ownLowRank);
}

/**
 * @param trainables none of which may belong to a single stitch but its stitching layer's (no stitch bias, no SS-LoRA)
 * @param onBatch called after each batch with the number of batches done
 * @returns top-1 accuracy by stitch id, percent
 * @throws Diverged where a stitch answers with what is no number
 */
export async function sweepAccuracies(
  engine: Engine,
  { space, network, frozen }: Omit<StitchedNetwork, 'teacher'>,
  trainables: Trainables<Value>,
  loader: Pick<BatchLoader, 'batches'>,
  onBatch: (batches: number) => void,
): Promise<number[]> {
  const { anchors: architectures } = network;
  if (!sharesBlocks(network)) {
    throw new Error('blocks cannot be shared between stitches that adapt them each in its own way');
  }
  const groups = groupsOf(space.stitches).map((stitches) => {
    const shapes = stitches.map((stitch) => trainableShapes(stitch, network));
    const used = shapes.reduce<Trainables<Shape>>(joinTrainables, noTrainables);
    const count = ({ frozen, trainables, images, labels }: Inputs) => {
      const logits = isAnchor(stitches[0]!)
        ? runStitch(stitches[0]!, frozen, trainables, images, architectures).expandDims(0)
        : runTogether(stitches, frozen, trainables, images, architectures);
      const correct = logits.argMax(-1).equal(labels.expandDims(0)).cast('float32').sum(1);
      return { correct, sums: logits.sum(-1).sum(1) };
    };
    return {
      ids: stitches.map(({ id }) => id),
      images: Math.max(1, Math.floor(rowsTogether / stitches.length)),
      network: { frozen: frozenPathOf(frozen, stitches), trainables: pickTrainables(trainables, used) },
      run: engine.compile(`sweep of stitches ${stitches.map(({ id }) => id)}`, count),
    };
  });

  const correct = new Array<number>(space.stitches.length).fill(0);
  let seen = 0;
  let batches = 0;
  for await (const batch of loader.batches()) {
    for (const { ids, images, network, run } of groups) {
      for (const part of partsOf(batch, images)) {
        const inputs = { images: await imagesOnDevice(engine, part.images), labels: engine.put(part.labels) };
        const result = await run({ ...network, ...inputs });
        const [{ data: right }, { data: sums }] = [await engine.get(result.correct), await engine.get(result.sums)];
        engine.free({ ...inputs, result });
        for (const [index, sum] of sums.entries()) refuseDiverged(`stitch ${ids[index]}`, [sum]);
        for (const [index, count] of right.entries()) correct[ids[index]!]! += count;
      }
    }
    seen += batch.indices.length;
    onBatch(++batches);
  }
  return correct.map((count) => (100 * count) / seen);
}

/** Anchors one by one, and the stitches from one anchor to another together, by the block at which they enter it. */
function groupsOf(stitches: readonly Stitch[]): Stitch[][] {
  const groups = new Map<string, Stitch[]>();
  for (const stitch of stitches) {
    const key = isAnchor(stitch) ? `${stitch.id}` : `${firstAnchor(stitch)}-${lastAnchor(stitch)}`;
    groups.set(key, [...(groups.get(key) ?? []), stitch]);
  }
  const enters = ({ path }: Stitch) => path.at(-1)!.blocks[0];
  return [...groups.values()].map((group) => group.toSorted((a, b) => enters(a) - enters(b)));
}

/** The batch in parts of `size` images, all of one shape: the last is filled up with images of no class. */
function partsOf({ images, labels }: Pick<Batch, 'images' | 'labels'>, size: number) {
  return Array.from({ length: Math.ceil(labels.data.length / size) }, (_, part) => {
    const classes = new Int32Array(size).fill(-1);
    classes.set(labels.data.subarray(part * size, (part + 1) * size));
    return { images: imagesFrom(images, part * size, size), labels: int32([size], classes) };
  });
}
