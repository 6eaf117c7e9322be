/** Angles between gradients on shared weights, measured once in the final run of a stitched network (Figure F). */
import path from 'node:path';
import type { Engine, Value } from '../../engine/engine.js';
import { toHost } from '../../engine/transfer.js';
import { pairwiseAngles, type StitchGradients } from '../../evaluation/gradient-angles.js';
import { anglesFile, anglesVersion, type TrialAngles } from '../../run-folder/gradient-angles.js';
import { exists, writeAtomic } from '../../shared/files.js';
import { Random } from '../../shared/random.js';
import { namedTrainables } from '../../stitching/parameters/names.js';
import { trainableShapes } from '../../stitching/parameters/shapes.js';
import { pickTrainables, type Trainables } from '../../stitching/parameters/trainables.js';
import type { Stitch } from '../../stitching/space/stitch.js';
import { frozenPathOf } from '../../stitching/stitchable-network.js';
import { imagesOnDevice } from '../../training/images/on-device.js';
import { stopIfAborted } from '../../training/runtime.js';
import { sharedTrainables, stitchGradients } from '../../training/stitch-gradients.js';
import type { AnglesRecipe, RunRecipe } from '../recipe.js';
import type { TrialContext } from './context.js';
import type { TrialNetwork } from './network.js';

/**
 * Writes angles.json of the trial, unless it is there already. Batches are those of the training epoch that would follow
 * the last one: drawn and augmented as in training, and independent of where an interrupted run went on. Methods whose
 * stitches share no weights of blocks have no angles.
 */
export async function noteAngles(
  context: TrialContext,
  network: TrialNetwork,
  recipe: AnglesRecipe,
  { split, epochs }: RunRecipe,
  trainables: Trainables<Value>,
): Promise<void> {
  const { name, trialFolder, engine, progress, data } = context;
  const { anchors, seed, images: imageRecipe } = context.recipe;
  if (data.kind === 'texts' || !imageRecipe) throw new Error('gradient angles are measured on images');
  const file = path.join(trialFolder, anglesFile);
  if (await exists(file)) return;
  const stitches = comparedStitches(network, recipe.stitches, seed);
  const label = `${name}: comparing gradients`;
  const loader = data.training(split);
  const batches = Math.min(recipe.batches, loader.batchesPerEpoch);
  const angles: number[] = [];
  progress.start(label, batches * stitches.length);
  for await (const { index, images, labels } of loader.batches({ epoch: epochs })) {
    if (index === batches) break;
    const batch = { images: await imagesOnDevice(engine, images), labels: engine.put(labels) };
    const gradients: StitchGradients[] = [];
    for (const stitch of stitches) {
      stopIfAborted(context, label);
      gradients.push(await gradientsOn(engine, network, stitch, trainables, batch));
      progress.update(index * stitches.length + gradients.length);
    }
    engine.free(batch);
    angles.push(...pairwiseAngles(gradients));
  }
  progress.stop();
  if (angles.length === 0) return;
  const content: TrialAngles = {
    version: anglesVersion,
    anchors: [anchors[0]!.name, anchors[1]!.name],
    stitches: stitches.length,
    epoch: recipe.epoch,
    batches,
    batch_size: imageRecipe.batchSize,
    domain: recipe.domain,
    angles,
  };
  await writeAtomic(file, `${JSON.stringify(content)}\n`);
}

/** Stitches from the smallest anchor to the next, drawn without repetition; in the order of the space. */
function comparedStitches({ space }: TrialNetwork, count: number, seed: number): Stitch[] {
  const between = space.stitches.filter(({ path: [front, end] }) => front!.anchor === 0 && end?.anchor === 1);
  const drawn = Random.of(seed, 'gradient angles').shuffled(between).slice(0, count);
  return drawn.sort((one, other) => one.id - other.id);
}

/** Gradients of one stitch for the weights that it shares, on the host. */
async function gradientsOn(
  engine: Engine,
  { network, frozen }: TrialNetwork,
  stitch: Stitch,
  trainables: Trainables<Value>,
  batch: { readonly images: Value; readonly labels: Value },
): Promise<StitchGradients> {
  const shared = sharedTrainables(stitch, network);
  if (Object.keys(namedTrainables(shared)).length === 0) return {};
  const program = engine.compile(`gradients of stitch ${stitch.id}`, stitchGradients(stitch, shared, network.anchors));
  const parameters = pickTrainables(trainables, trainableShapes(stitch, network));
  const gradients = await program({ frozen: frozenPathOf(frozen, [stitch]), parameters, ...batch });
  const host = Object.entries(namedTrainables(await toHost(engine, gradients)));
  engine.free(gradients);
  return Object.fromEntries(host.map(([name, { data }]) => [name, data]));
}
