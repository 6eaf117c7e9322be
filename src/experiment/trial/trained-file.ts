/**
 * `trained.safetensors` of a trial: all that its networks need beside the pretrained anchors.
 *
 *     NAME                            what was trained, named as stitching/parameters/names.ts says
 *     start/layers/N/{weight,bias}    the stitching layers as least squares left them
 *     alone/NAME                      what anchors learned alone, before they were stitched
 *
 * The metadata hold the names of the classes, and the ids of the stitches where not all of the space were trained.
 */

import path from 'node:path';
import type { Linear } from '../../models/layers.js';
import { readSafetensors, writeSafetensors } from '../../models/pretrained/formats/safetensors.js';
import type { Float32NdArray } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { namedTrainables, trainablesOfNames } from '../../stitching/parameters/names.js';
import { type Shape, trainableShapes } from '../../stitching/parameters/shapes.js';
import { noTrainables, type Trainables } from '../../stitching/parameters/trainables.js';
import type { StitchableNetwork } from '../../stitching/space/cost.js';
import type { Stitch } from '../../stitching/space/stitch.js';

export interface Trained {
  readonly trainables: Trainables<Float32NdArray>;
  /** By index in the space. */
  readonly layers: readonly Linear<Float32NdArray>[];
  readonly alone: Trainables<Float32NdArray>;
  readonly classes: readonly string[];
  /** Ids of the stitches that were trained; left out: all of the space. */
  readonly stitches?: readonly number[];
}

/** What a file holds. */
export interface StoredTrained extends Trained {
  readonly file: string;
}

/** trained.safetensors of a trial's folder. */
export function trainedFile(trialFolder: string): string {
  return path.join(trialFolder, 'trained.safetensors');
}

export async function writeTrained(
  file: string,
  { trainables, layers, alone, classes, stitches }: Trained,
): Promise<void> {
  const started = layers.flatMap(({ weight, bias }, index) => [
    [`start/layers/${index}/weight`, weight] as const,
    [`start/layers/${index}/bias`, bias] as const,
  ]);
  const before = Object.entries(namedTrainables(alone)).map(([name, tensor]) => [`alone/${name}`, tensor] as const);
  const tensors = { ...namedTrainables(trainables), ...Object.fromEntries([...started, ...before]) };
  const metadata = { classes: JSON.stringify(classes), ...(stitches && { stitches: JSON.stringify(stitches) }) };
  await writeSafetensors(file, tensors, { metadata });
}

/** @throws RequestError when the file is missing, damaged, not finite, or of a version that did not name its classes */
export async function readTrained(file: string): Promise<StoredTrained> {
  const { tensors, metadata } = await readSafetensors(file);
  const { classes, stitches } = metadata;
  if (classes === undefined) {
    throw new RequestError(`${file} does not name its classes`, 'Run the trial again with this version of esta.');
  }
  const broken = Object.keys(tensors).find((name) => !tensors[name]!.data.every(Number.isFinite));
  if (broken !== undefined) {
    throw new RequestError(
      `${file}: ${broken} holds numbers that are not finite, so that the network has no answer`,
      'The file is damaged, or its training diverged: delete its trial folder and run the trial again.',
    );
  }
  const trainables: Record<string, Float32NdArray> = {};
  const alone: Record<string, Float32NdArray> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    if (name.startsWith('alone/')) alone[name.slice('alone/'.length)] = tensor;
    else if (!name.startsWith('start/')) trainables[name] = tensor;
  }
  const layers: Linear<Float32NdArray>[] = [];
  for (let index = 0; tensors[`start/layers/${index}/weight`]; index++) {
    const [weight, bias] = [tensors[`start/layers/${index}/weight`]!, tensors[`start/layers/${index}/bias`]!];
    layers.push({ weight, bias });
  }
  return {
    file,
    trainables: trainablesOfNames(trainables),
    layers,
    alone: trainablesOfNames(alone),
    classes: JSON.parse(classes) as string[],
    ...(stitches !== undefined && { stitches: JSON.parse(stitches) as number[] }),
  };
}

/**
 * Weights of another version may lie elsewhere, where they would be left out in silence, and biases at other places of a
 * segment. Low-rank updates go by name, whatever their ranks.
 * @throws RequestError where a weight or bias is none that the stitches have, or has another shape
 */
export function requireFits(
  { file, trainables }: Pick<StoredTrained, 'file' | 'trainables'>,
  stitches: readonly Stitch[],
  network: Omit<StitchableNetwork, 'adaptation'>,
): void {
  const { weights, biases, layerBiases } = trainables;
  const biased = { ranks: network.anchors.map(() => 0), stitchingLayerRank: 0, stitchBias: true };
  const adaptations = Object.keys(weights).length > 0 ? (['full', biased] as const) : [biased];
  const shapes = stitches.flatMap((stitch) =>
    adaptations.map((adaptation) => namedTrainables(trainableShapes(stitch, { ...network, adaptation }))),
  );
  const expected: Record<string, Shape> = Object.assign({}, ...shapes);
  for (const [name, { shape }] of Object.entries(namedTrainables({ ...noTrainables, weights, biases, layerBiases }))) {
    const wanted = expected[name];
    if (`${shape}` === `${wanted}`) continue;
    throw new RequestError(
      `${file}: ${name} [${shape}] ${wanted ? `would be [${wanted}]` : 'has no place'} in networks of this version`,
      'Run the trial again in another folder, or use the version of esta that environment.json of the run names.',
    );
  }
}
