/** answers.json of a trial's folder: what its deployed stitches answered to a file of instructions (`esta generate`). */
import { z } from 'zod';
import { invalidFile } from '../../config/problems.js';

export const answersFile = 'answers.json';
export const answersVersion = 1;

const count = z.number().int().nonnegative();

const trialAnswers = z.object({
  version: z.literal(answersVersion),
  /** What computed: seconds are those of this device. */
  device: z.string(),
  questions: z.array(
    z.object({
      instruction: z.string(),
      input: z.string(),
      answers: z.array(
        z.object({
          id: count,
          path: z.array(z.object({ anchor: z.string(), blocks: z.tuple([count, count]) })),
          params: count,
          text: z.string(),
          tokens: count,
          stopped: z.enum(['end', 'length', 'interrupted']),
          seconds_per_token: z.number().nonnegative(),
        }),
      ),
    }),
  ),
});

/** The content of a trial's answers.json. */
export type TrialAnswers = z.output<typeof trialAnswers>;
export type AnsweredQuestion = TrialAnswers['questions'][number];

/** Checks the content of answers.json. */
export function parseTrialAnswers(content: unknown, file: string): TrialAnswers {
  const parsed = trialAnswers.safeParse(content);
  if (parsed.success) return parsed.data;
  throw invalidFile(
    file,
    parsed.error.issues,
    'Delete it, and let the stitches answer again: esta generate --run DIR --prompts FILE.',
  );
}
