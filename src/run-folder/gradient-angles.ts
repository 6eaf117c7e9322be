/** angles.json of a trial's folder: angles between the gradients that stitches have for the weights they share (Figure F). */
import { z } from 'zod';
import { invalidFile } from '../config/problems.js';

export const anglesFile = 'angles.json';
export const anglesVersion = 1;

const count = z.number().int().nonnegative();

const trialAngles = z.object({
  version: z.literal(anglesVersion),
  /** Names of the two anchors that are stitched. */
  anchors: z.tuple([z.string(), z.string()]),
  /** Stitches that are compared, pair by pair. */
  stitches: count,
  /** Epochs of the stitched network before. */
  epoch: count,
  /** Batches that gradients are taken of, each for all stitches. */
  batches: count,
  batch_size: count,
  /** The data that the anchors were pretrained with, or a task they are adapted to. */
  domain: z.enum(['source', 'downstream']),
  /** Of every pair in every batch, degrees from 0 to 180. */
  angles: z.array(z.number().min(0).max(180)).min(1),
});

/** The content of a trial's angles.json. */
export type TrialAngles = z.output<typeof trialAngles>;

/** Checks the content of angles.json. */
export function parseTrialAngles(content: unknown, file: string): TrialAngles {
  const parsed = trialAngles.safeParse(content);
  if (parsed.success) return parsed.data;
  throw invalidFile(
    file,
    parsed.error.issues,
    'Delete the trial folder and run the trial again with evaluation.gradient_angles.',
  );
}
