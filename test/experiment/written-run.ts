/** A finished trial that was never trained: a run folder with random weights in the form that a run leaves behind. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { experimentSchema } from '../../src/config/schema/experiment.js';
import { trialsOf } from '../../src/config/trials.js';
import { formatYaml } from '../../src/config/yaml-document.js';
import { findTrial } from '../../src/experiment/deployed/found-trial.js';
import { pstSpaceOf } from '../../src/experiment/space.js';
import { listStitches } from '../../src/experiment/space-listing.js';
import { writeTrained } from '../../src/experiment/trial/trained-file.js';
import { architectureNamed } from '../../src/models/architectures.js';
import { writeSafetensors } from '../../src/models/pretrained/formats/safetensors.js';
import { initialWeights, stateDictOf } from '../../src/models/weights.js';
import type { MeasuredRun } from '../../src/run-folder/measured/choice.js';
import { type Float32NdArray, float32 } from '../../src/shared/arrays.js';
import { Random } from '../../src/shared/random.js';
import { initialTrainables } from '../../src/stitching/parameters/initial.js';
import { nameOf } from '../../src/stitching/parameters/names.js';
import { mapTrainables, noTrainables, type Trainables } from '../../src/stitching/parameters/trainables.js';
import { crossingOf, type StitchableNetwork } from '../../src/stitching/space/cost.js';
import type { StitchSpace } from '../../src/stitching/space/stitch-space.js';

interface WrittenTrial {
  /** Default: the classes of the data set that is drawn, numbered. */
  readonly classes?: readonly string[];
  /** Ids of the deployed stitches; default: the first three stitches. */
  readonly deployed?: readonly number[];
  /** What else stands in its result. */
  readonly result?: object;
  /** What was trained of it; default all. */
  readonly trained?: (all: Trainables<Float32NdArray>) => Trainables<Float32NdArray>;
  readonly stitches?: readonly number[];
}

export interface WrittenRun {
  readonly run: MeasuredRun;
  readonly trialFolder: string;
  readonly space: StitchSpace;
  readonly network: StitchableNetwork;
  readonly layers: readonly { readonly weight: Float32NdArray; readonly bias: Float32NdArray }[];
  readonly trainables: Trainables<Float32NdArray>;
}

/** Random numbers of a deviation of 0.2. */
export function noise(purpose: string, shape: readonly number[]): Float32NdArray {
  const random = Random.of(0, purpose);
  const length = shape.reduce((product, size) => product * size, 1);
  return float32(
    shape,
    Float32Array.from({ length }, () => 0.2 * random.normal()),
  );
}

/** Anchors of vit_mini_tiny_depth4 and vit_mini_small_depth4 in files of their own, as an experiment names them. */
export async function writtenAnchors(folder: string): Promise<object[]> {
  const anchors: object[] = [];
  for (const [name, size] of [
    ['Ti', 'tiny'],
    ['S', 'small'],
  ] as const) {
    const architecture = `vit_mini_${size}_depth4`;
    const known = architectureNamed(architecture);
    const checkpoint = path.join(folder, `${name}.safetensors`);
    await writeSafetensors(checkpoint, stateDictOf(known, initialWeights(known, Random.of(0, name))));
    anchors.push({ name, architecture, checkpoint });
  }
  return anchors;
}

/** @param document of the experiment, of which the first trial is written */
export async function writtenRun(runFolder: string, document: object, written: WrittenTrial = {}): Promise<WrittenRun> {
  const experiment = experimentSchema.parse(document);
  const [{ name, dataset, method, seed }] = trialsOf(experiment) as [ReturnType<typeof trialsOf>[number]];
  const { classes = ['first', 'second'], deployed = [0, 1, 2], trained = (all) => all, stitches } = written;
  const { space, network } = pstSpaceOf(experiment, classes.length);
  const trainables = trained(
    mapTrainables(initialTrainables(space, network, 0), ({ shape }, at) => noise(nameOf(at), shape)),
  );
  const layers = space.stitchingLayers.map(({ index }) => {
    const stitch = space.stitches.find(({ stitchingLayer }) => stitchingLayer === index)!;
    const { from, to } = crossingOf(stitch, network.anchors)!;
    return { weight: noise(`weight ${index}`, [from, to]), bias: noise(`bias ${index}`, [to]) };
  });
  const listed = listStitches(experiment, classes.length);
  const result = {
    ...{ version: 1, dataset: dataset.name, method, seed, learningRate: 0.1, status: 'finished', settings: 'abc' },
    ...{ trainSeconds: 1, epochs: 1, stitches: deployed.map((id) => ({ ...listed[id]!, accuracy: 50 + id })) },
    ...written.result,
  };
  const trialFolder = path.join(runFolder, 'trials', name);
  await mkdir(trialFolder, { recursive: true });
  await writeFile(path.join(runFolder, 'experiment.yaml'), formatYaml(document));
  await writeFile(path.join(trialFolder, 'result.json'), JSON.stringify(result));
  const file = path.join(trialFolder, 'trained.safetensors');
  const content = { trainables, layers, alone: noTrainables as Trainables<Float32NdArray>, classes };
  await writeTrained(file, { ...content, ...(stitches && { stitches }) });
  return { run: await findTrial(runFolder, name), trialFolder, space, network, layers, trainables };
}
