/** What a finished trial has trained: which stitches, and what they cost. It reads no weights of anchors, which may be elsewhere. */
import { type Experiment, isTextExperiment, type Method } from '../../config/schema/experiment.js';
import type { DeepReadonly } from '../../config/schema/fields.js';
import type { Architecture } from '../../models/architecture.js';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import type { StitchResult } from '../../run-folder/result.js';
import { experimentIn } from '../../run-folder/run-configuration.js';
import { trialFolderIn } from '../../run-folder/run-writer.js';
import { RequestError } from '../../shared/errors.js';
import { estaCommand, formatNextStep } from '../../shared/next-step.js';
import { isAnchor, lastAnchor, type Stitch } from '../../stitching/space/stitch.js';
import type { StitchSpace } from '../../stitching/space/stitch-space.js';
import { recordedAdaptation } from '../recorded-recipe.js';
import { spaceOf, stitchCosts } from '../space.js';
import { readTrained, requireFits, type StoredTrained, trainedFile } from '../trial/trained-file.js';

/** What is known of a stitch; its accuracy where it was tested. */
export type StitchFacts = Omit<StitchResult, 'accuracy'> & Partial<Pick<StitchResult, 'accuracy'>>;

export interface TrainedStitches {
  readonly experiment: DeepReadonly<Experiment>;
  readonly stored: StoredTrained;
  readonly space: StitchSpace;
  /** Of all anchors, small to large. */
  readonly architectures: readonly Architecture[];
  /** Ids of all stitches that were trained, deployed or not. */
  readonly trained: readonly number[];
  /** @throws RequestError when the stitch was not trained */
  facts(id: number): StitchFacts;
}

/** @throws RequestError for a run of language models, and where the stored weights are not of its experiment */
export async function openTrainedStitches(run: MeasuredRun): Promise<TrainedStitches> {
  const { folder, name, result } = run;
  const experiment = await experimentIn(folder);
  if (isTextExperiment(experiment)) {
    throw new RequestError(
      `${folder} has trained language models, which classify no images`,
      formatNextStep({
        purpose: 'What they answer:',
        command: estaCommand('generate', 'TEXT', '--run', folder, '--compare'),
      }),
    );
  }
  const trialFolder = trialFolderIn(folder, run);
  const stored = await readTrained(trainedFile(trialFolder));
  const { architectures, space } = spaceOf(experiment.anchors, experiment.stitching, experiment.preprocessing.crop);
  const adaptation = await recordedAdaptation(trialFolder, result.method as Method, experiment);
  const network = { anchors: architectures, classes: stored.classes.length, adaptation };
  requireFits(stored, space.stitches, network);
  const isTrained = (stitch: Stitch) =>
    (stored.stitches?.includes(stitch.id) ?? true) &&
    stored.trainables.heads[lastAnchor(stitch)] !== undefined &&
    (isAnchor(stitch) || stored.layers.length > 0);
  return {
    experiment,
    stored,
    space,
    architectures,
    trained: space.stitches.filter(isTrained).map(({ id }) => id),
    facts(id) {
      const stitch = space.stitches[id];
      if (!stitch || !isTrained(stitch)) throw new RequestError(`stitch ${id} was not trained in ${name}`);
      return result.stitches.find((deployed) => deployed.id === id) ?? stitchCosts(stitch, experiment.anchors, network);
    },
  };
}
