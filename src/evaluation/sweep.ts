/**
 * Evaluates every stitch of a space, as SN-Net has to before it can choose. Stitches with the same front anchor begin with
 * the same blocks: the blocks of a front are run once for a batch, and each stitch goes on from where it leaves the front.
 * What comes after the stitching layer cannot be shared, since each stitch enters the end anchor with other features.
 */
import type * as tf from '@tensorflow/tfjs';
import type { BatchLoader } from '../data/batches.js';
import type { Engine, TensorFunction, Value } from '../engine/engine.js';
import type { Tree } from '../shared/tree.js';
import { firstAnchor, type Stitch } from '../stitching/stitch.js';
import { type FrozenPath, frozenPathOf, runFront, runRest } from '../stitching/stitchable-network.js';
import { trainablesOf } from '../stitching/trainables.js';
import type { Named } from '../training/optimizer.js';
import type { StitchedNetwork } from '../training/step-runner.js';
import { pick } from '../training/training-state.js';

interface PathInputs {
  readonly frozen: FrozenPath<tf.Tensor>;
  readonly trainables: Named<tf.Tensor>;
}

/**
 * @param trainables none of which may belong to a single stitch in its front blocks (no stitch bias, no SS-LoRA)
 * @param onBatch called after each batch with the number of batches done
 * @returns top-1 accuracy by stitch id, percent
 */
export async function sweepAccuracies(
  engine: Engine,
  { space, network, frozen }: Omit<StitchedNetwork, 'teacher'>,
  trainables: Named<Value>,
  loader: BatchLoader,
  onBatch: (batches: number) => void,
): Promise<number[]> {
  const { adaptation, anchors: architectures } = network;
  if (adaptation !== 'full' && (adaptation.stitchBias || adaptation.ownLowRank)) {
    throw new Error('front blocks cannot be shared between stitches that adapt them each in its own way');
  }
  const inputsOf = (stitch: Stitch) => ({
    frozen: frozenPathOf(frozen, [stitch]),
    trainables: pick(trainables, Object.keys(trainablesOf(stitch, network))),
  });
  const fronts = space.stitches
    .filter(({ path }) => path.length === 1)
    .map((anchor) => ({
      anchor: firstAnchor(anchor),
      inputs: inputsOf(anchor),
      run: engine.compile(`front ${anchor.id}`, ((given: PathInputs & { readonly images: tf.Tensor }) =>
        runFront(anchor, given.frozen, given.trainables, given.images, architectures)) as unknown as TensorFunction),
    }));
  const rests = space.stitches.map((stitch) => ({
    anchor: firstAnchor(stitch),
    lastBlock: stitch.path[0]!.blocks[1] - 1,
    inputs: inputsOf(stitch),
    run: engine.compile(`rest of stitch ${stitch.id}`, ((
      given: PathInputs & { readonly features: tf.Tensor; readonly labels: tf.Tensor },
    ) => {
      const logits = runRest(stitch, given.frozen, given.trainables, given.features, architectures);
      return { correct: logits.argMax(-1).equal(given.labels).cast('float32').sum() };
    }) as unknown as TensorFunction),
  }));

  const correct = new Array<number>(rests.length).fill(0);
  let seen = 0;
  let batches = 0;
  for await (const batch of loader.batches()) {
    const images = engine.put(batch.images);
    const labels = engine.put(batch.labels);
    for (const { anchor, inputs, run } of fronts) {
      const features = (await run({ ...inputs, images } as never)) as readonly Value[];
      for (const [id, rest] of rests.entries()) {
        if (rest.anchor !== anchor) continue;
        const given = { ...rest.inputs, features: features[rest.lastBlock]!, labels };
        const result = (await rest.run(given as never)) as { readonly correct: Value };
        correct[id]! += (await engine.get(result.correct)).data[0]!;
        engine.free(result);
      }
      engine.free(features as Tree<Value>);
    }
    engine.free([images, labels]);
    seen += batch.indices.length;
    onBatch(++batches);
  }
  return correct.map((count) => (100 * count) / seen);
}
