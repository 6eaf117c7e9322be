/** One deployed stitch of a finished trial of language models, as a model that generates. */
import path from 'node:path';
import { type Experiment, isTextExperiment, type TextExperiment } from '../../config/schema/experiment.js';
import { stitchesAdaptedAnchors } from '../../config/schema/experiment-fields.js';
import type { TextTokenizer } from '../../data/text/tokenizer.js';
import type { Engine } from '../../engine/engine.js';
import { type LanguageModel, pathModel } from '../../evaluation/generation/language-model.js';
import type { LlamaArchitecture } from '../../models/llama/architecture.js';
import type { PartShape, PathPart, PathWeights } from '../../models/llama/cached.js';
import type { LlamaWeights } from '../../models/llama/llama.js';
import type { Storage } from '../../models/llama/load.js';
import { recordedIdentity, refuseOtherWeights } from '../../run-folder/identity/recorded.js';
import type { TrialIdentity } from '../../run-folder/identity/trial-identity.js';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import { experimentIn } from '../../run-folder/run-configuration.js';
import { trialFolderIn } from '../../run-folder/run-writer.js';
import { type Float32NdArray, isFloat32, type NdArray } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { groupBy } from '../../shared/groups.js';
import { mergeStitch } from '../../stitching/parameters/merge.js';
import { segmentLayers } from '../../stitching/parameters/segment-layers.js';
import { layerUpdateOf, noTrainables, type Trainables } from '../../stitching/parameters/trainables.js';
import { lastAnchor, type Stitch } from '../../stitching/space/stitch.js';
import type { StitchSpace } from '../../stitching/space/stitch-space.js';
import { type FrozenNetwork, type FrozenPath, withTrainedWeights } from '../../stitching/stitchable-network.js';
import { mergeAnchors } from '../trial/network.js';
import { readTrained, type Trained, trainedFile } from '../trial/trained-file.js';
import { commonTokenizer, loadLanguageAnchors } from './language-anchors.js';
import { languageSpace } from './language-space.js';

/** The stitches of a trial, whose anchors are read once. */
export interface DeployedLanguage {
  readonly experiment: TextExperiment;
  readonly tokenizer: TextTokenizer;
  /** @param id of a stitch of the space */
  model(engine: Engine, id: number): LanguageModel;
  /** What `model` runs, with all that adapts it merged into the weights. @throws Error for anchors in 8 bits */
  merged(id: number): MergedLanguage;
}

export interface MergedLanguage {
  readonly stitch: Stitch;
  readonly weights: PathWeights<Float32NdArray>;
  /** Of the parts of the path. */
  readonly shapes: readonly PartShape[];
}

/** What a trial has trained, without the weights of its anchors. */
export interface TrainedLanguage extends Trained {
  readonly experiment: TextExperiment;
  readonly architectures: readonly LlamaArchitecture[];
  readonly space: StitchSpace;
}

/** @throws RequestError where the run is of images */
export async function readTrainedLanguage({ folder, name }: MeasuredRun): Promise<TrainedLanguage> {
  const whole = textExperimentOf(await experimentIn(folder), folder);
  const trialFolder = trialFolderIn(folder, { name });
  const experiment = asTrained(whole, await recordedIdentity(trialFolder));
  const trained = await readTrained(trainedFile(trialFolder));
  return { ...trained, ...languageSpace(experiment), experiment };
}

/**
 * @param storage of the anchors; default as they were trained
 * @throws RequestError where the run is of images, or its anchors are not there any more
 */
export async function openDeployedLanguage(run: MeasuredRun, storage?: Storage): Promise<DeployedLanguage> {
  const { experiment, architectures, space, trainables, layers, alone } = await readTrainedLanguage(run);
  const trialFolder = trialFolderIn(run.folder, run);
  await refuseOtherWeights(trialFolder, experiment.anchors);
  const tokenizer = await commonTokenizer(experiment.anchors, architectures);
  await refuseOtherTokenizer(trialFolder, tokenizer);
  // What changes the weights themselves was trained on whole ones (text-rules.ts).
  const kept = storage ?? experiment.text.weights;
  const loaded = await loadLanguageAnchors(experiment.anchors, architectures, kept);
  const { weights } = stitchesAdaptedAnchors(run.result.method)
    ? mergeAnchors(loaded as Parameters<typeof mergeAnchors>[0], { space, architectures }, alone)
    : loaded;
  const frozen = withTrainedWeights<Float32NdArray, FrozenNetwork<Float32NdArray>>(
    { anchors: weights as FrozenNetwork<Float32NdArray>['anchors'], layers },
    trainables,
    isFloat32,
  );
  const shapesOf = ({ path: segments }: Stitch) =>
    segments.map(
      ({ anchor }): PartShape => ({
        config: architectures[anchor]!.variant,
        scale: architectures[anchor]!.blocks[0]!.adapted[0]?.scale ?? 1,
      }),
    );
  return {
    experiment,
    tokenizer,
    model(engine, id) {
      const stitch = space.stitches[id]!;
      return pathModel(engine, shapesOf(stitch), pathOf(stitch, frozen, trainables, architectures));
    },
    merged(id) {
      if (kept === '8bit') throw new Error('nothing can be merged into weights of 8 bits');
      const stitch = space.stitches[id]!;
      const merged = mergeStitch(stitch, frozen as FrozenNetwork<Float32NdArray>, trainables, architectures);
      const weights = pathOf(stitch, merged, noTrainables, architectures) as PathWeights<Float32NdArray>;
      return { stitch, weights, shapes: shapesOf(stitch) };
    },
  };
}

/** Other ids for the same words would give other words. @throws RequestError where the vocabulary was another one */
async function refuseOtherTokenizer(trialFolder: string, { location, fingerprint }: TextTokenizer): Promise<void> {
  const before = (await recordedIdentity(trialFolder))?.texts?.tokenizer;
  if (before === undefined || before === fingerprint) return;
  throw new RequestError(
    `${path.basename(trialFolder)} was trained with another vocabulary than ${location} holds now`,
    'Put the tokenizer back that it was trained with, or train again into another folder.',
  );
}

/** Whether a run has trained language models. */
export async function isLanguageRun({ folder }: MeasuredRun): Promise<boolean> {
  return isTextExperiment(await experimentIn(folder));
}

function textExperimentOf(experiment: Experiment, folder: string): TextExperiment {
  if (isTextExperiment(experiment)) return experiment;
  throw new RequestError(
    `${folder} has trained networks that read images, which write no text`,
    `Classify images with one of them: esta predict IMAGE --run ${folder}.`,
  );
}

/** What shapes the networks of a trial, as it was: a variant of a study has ranks of its own, and its file those of the study. */
function asTrained(experiment: TextExperiment, identity: TrialIdentity | undefined): TextExperiment {
  const { adaptation, stitching, text } = (identity?.settings ?? {}) as Partial<TextExperiment>;
  return {
    ...experiment,
    adaptation: { ...experiment.adaptation, ...adaptation },
    stitching: { ...experiment.stitching, ...stitching },
    text: { ...experiment.text, ...text },
  };
}

/** What a stitch runs, with what adapts it beside the weights. */
export function pathOf(
  stitch: Stitch,
  { anchors, layers }: FrozenPath<NdArray>,
  trainables: Trainables<Float32NdArray>,
  architectures: readonly LlamaArchitecture[],
): PathWeights<NdArray> {
  const weightsOf = (anchor: number) => anchors[anchor] as LlamaWeights<NdArray>;
  const parts = stitch.path.map(({ anchor, blocks: [from, to] }, segment): PathPart<NdArray> => {
    const blocks = weightsOf(anchor).blocks.slice(from, to);
    const adapted = adaptedBy(stitch, segment, trainables, architectures[anchor]!);
    if (segment === 0) return { blocks, adapted };
    const index = stitch.stitchingLayer!;
    const update = layerUpdateOf(trainables, stitch.id, index);
    const bias = trainables.layerBiases[stitch.id];
    return { entry: { layer: layers[index]!, ...(update && { update }), ...(bias && { bias }) }, blocks, adapted };
  });
  const end = weightsOf(lastAnchor(stitch));
  // A head that is the embedding is that of the last anchor.
  return {
    embedding: weightsOf(stitch.path[0]!.anchor).embedding,
    parts,
    norm: end.norm,
    head: end.head ?? { tokens: end.embedding.tokens },
  };
}

/** Low-rank updates and stitch-specific biases of the blocks of a segment. */
function adaptedBy(
  stitch: Stitch,
  segment: number,
  trainables: Trainables<Float32NdArray>,
  architecture: LlamaArchitecture,
): PathPart<NdArray>['adapted'] & object {
  const [from, to] = stitch.path[segment]!.blocks;
  const byBlock = groupBy(segmentLayers(stitch, segment, trainables, architecture), ({ block }) => block);
  return Array.from({ length: to - from }, (_, index) => {
    const layers = (byBlock.get(from + index) ?? []).filter(({ update, bias }) => update || bias);
    return Object.fromEntries(
      layers.map(({ layer, update, bias }) => [layer, { ...(update && { update }), ...(bias && { bias }) }]),
    );
  });
}
