/** What whoever runs an exported file has to know of it: in the metadata of the file, and in a small JSON file beside it. */
import type { Experiment } from '../../config/schema/experiment.js';
import type { DeepReadonly } from '../../config/schema/fields.js';
import type { Preprocessing } from '../../data/images/preprocessing.js';
import type { StitchFacts } from './trained-stitches.js';
import type { StitchNetwork } from './trained-trial.js';

export interface Description {
  /** In the order of the logits. */
  readonly classes: readonly string[];
  /** Before the file: resize and central crop. The normalisation is inside an ONNX file, mean and std outside others. */
  readonly preprocessing: Preprocessing;
  readonly trial: string;
  /** FLOPs and parameters of one image, accuracy on the test images, the blocks of each anchor. */
  readonly stitch: StitchFacts;
  readonly licence: string;
}

export function describe({ classes, preprocessing, trial, result, experiment }: StitchNetwork): Description {
  return { classes, preprocessing, trial, stitch: result, licence: licenceOf(experiment) };
}

/** Metadata of a file: each entry as JSON. */
export function metadataOf(entries: object): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, JSON.stringify(value)]));
}

/** Of the weights: the program's own for embedded anchors, else that of whoever published them. */
export function licenceOf({ anchors }: DeepReadonly<Experiment>): string {
  const others = anchors.map(({ checkpoint }) => checkpoint).filter((checkpoint) => checkpoint !== 'embedded');
  if (others.length === 0) return 'Apache-2.0';
  return `as the weights that were adapted: ${[...new Set(others)].join(', ')}`;
}
