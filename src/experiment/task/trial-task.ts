/** What a trial learns, images or texts, as the phases of a trial ask for it. */
import type { NdArray } from '../../shared/arrays.js';
import type { Recipe } from '../recipe.js';
import type { NetworkParts } from '../trial/network.js';
import type { EvaluationSplit, TrialData } from '../trial/trial-data.js';

export interface TrialTask {
  /** Complete: how much there is to learn is known. */
  readonly recipe: Recipe;
  /** Names of the classes; none of language models. */
  readonly classes: readonly string[];
  /**
   * Decodes images, tokenises texts.
   * @param stages whose images are needed; default all
   * @param evaluated splits that are prepared as in evaluation; default all
   */
  open(stages?: Recipe['stages'], evaluated?: readonly EvaluationSplit[]): Promise<TrialData>;
  /** The pretrained anchors and the stitches between them. */
  parts(): Promise<NetworkParts>;
  /** For the least-squares start of the stitching layers, as `fitStitchingLayers` takes them. */
  fitInputs(): Promise<readonly NdArray[]>;
}
