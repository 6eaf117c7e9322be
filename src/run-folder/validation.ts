/**
 * validation.json of a trial's folder: the accuracy of every stitch on the validation images, where all were evaluated
 * (evaluation.deploy_by: validation), beside the score by which one-stage deployment would have chosen.
 */
import { z } from 'zod';
import { invalidFile } from '../config/problems.js';

export const validationFile = 'validation.json';
export const validationVersion = 1;

const count = z.number().int().nonnegative();

const trialValidation = z.object({
  version: z.literal(validationVersion),
  /** FLOPs bins of the trial. */
  bins: z.number().int().positive().max(10_000),
  /** Id of the largest anchor, which is in no bin. */
  largest_anchor: count,
  /** By id. */
  stitches: z
    .array(
      z.object({
        id: count,
        flops: z.number().positive(),
        /** Percent of the validation images; of language models of the learned tokens of the validation texts. */
        accuracy: z.number().min(0).max(100),
        /** Of language models, whose best one has the lowest; version 0.2.0 and before left it out. */
        loss: z.number().exactOptional(),
        /** At the end of training; left out by methods that have none, and of stitches that were never drawn. */
        importance: z.number().exactOptional(),
        /** FLOPs bin; left out outside of them. */
        bin: count.exactOptional(),
      }),
    )
    .min(1),
});

/** The content of a trial's validation.json. */
export type TrialValidation = z.output<typeof trialValidation>;
export type ValidatedStitch = TrialValidation['stitches'][number];

/** Checks the content of validation.json. */
export function parseTrialValidation(content: unknown, file: string): TrialValidation {
  const parsed = trialValidation.safeParse(content);
  if (parsed.success) return parsed.data;
  throw invalidFile(
    file,
    parsed.error.issues,
    'Delete the trial folder and run the trial again with evaluation.deploy_by: validation.',
  );
}
