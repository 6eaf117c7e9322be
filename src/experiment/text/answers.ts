/** What deployed stitches of language models answer to instructions (Figures G and H). */
import path from 'node:path';
import { readInstructions } from '../../data/instructions/instructions.js';
import { promptOf } from '../../data/instructions/template.js';
import type { TextTokenizer } from '../../data/text/tokenizer.js';
import { readUtf8 } from '../../data/text/utf8.js';
import type { Engine } from '../../engine/engine.js';
import { beamSearch } from '../../evaluation/generation/beam-search.js';
import { type GenerationOptions, generate, requireRoom } from '../../evaluation/generation/generate.js';
import {
  type AnsweredQuestion,
  answersFile,
  answersVersion,
  type TrialAnswers,
} from '../../run-folder/language/answers.js';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import type { StitchResult } from '../../run-folder/result.js';
import { trialFolderIn } from '../../run-folder/run-writer.js';
import { RequestError } from '../../shared/errors.js';
import { writeJson } from '../../shared/files.js';
import { Random } from '../../shared/random.js';
import { openDeployedLanguage } from './deployed-language.js';

export interface Question {
  readonly instruction: string;
  /** Empty where the instruction stands alone. */
  readonly input: string;
}

export type Answer = AnsweredQuestion['answers'][number];

export interface AnswerOptions extends Omit<GenerationOptions, 'random' | 'onText'> {
  /** Of what is drawn: each stitch draws anew from it. */
  readonly seed: number;
  /** Beams of a beam search; left out: none, tokens are taken one by one. */
  readonly beams?: number | undefined;
  /** Called with every piece of an answer as it is made. */
  readonly onText?: ((text: string) => void) | undefined;
}

/**
 * Asks one stitch after the other, in the template that they were trained with.
 * @returns by question, in the order of `stitches`; what Ctrl-C cuts short is the last
 */
export async function answersOf(
  engine: Engine,
  run: MeasuredRun,
  stitches: readonly StitchResult[],
  questions: readonly Question[],
  { seed, beams, onText, ...options }: AnswerOptions,
): Promise<Answer[][]> {
  const deployed = await openDeployedLanguage(run);
  const answers = questions.map((): Answer[] => []);
  for (const { id, path: stitchPath, params } of stitches) {
    const model = deployed.model(engine, id);
    try {
      requireRoomForAll(questions, deployed.tokenizer, options.maxTokens, model.contextLength);
      for (const [index, question] of questions.entries()) {
        if (options.signal?.aborted) return answers;
        const prompt = promptOf(question);
        // The prompt is what was asked: only what comes after it is shown.
        let isAnswer = false;
        const shown = (text: string) => {
          if (isAnswer) onText?.(text);
          isAnswer = true;
        };
        const { tokenizer } = deployed;
        const random = Random.of(seed, 'generate');
        const { text, tokens, stopped, secondsPerToken } =
          beams === undefined
            ? await generate(model, tokenizer, prompt, { ...options, random, ...(onText && { onText: shown }) })
            : await beamSearch(model, tokenizer, prompt, { ...options, beams });
        if (beams !== undefined) onText?.(text);
        answers[index]!.push({
          id,
          path: pathOf(stitchPath),
          params,
          text: text.trim(),
          tokens,
          stopped,
          seconds_per_token: secondsPerToken,
        });
      }
    } finally {
      model.dispose();
    }
  }
  return answers;
}

/** @throws RequestError that names the first instruction which is too long, before any is answered */
function requireRoomForAll(
  questions: readonly Question[],
  tokenizer: TextTokenizer,
  maxTokens: number,
  contextLength: number,
): void {
  for (const [index, question] of questions.entries()) {
    try {
      requireRoom(tokenizer.encode(promptOf(question)).length, maxTokens, contextLength);
    } catch (error) {
      if (!(error instanceof RequestError) || questions.length === 1) throw error;
      const start = JSON.stringify(question.instruction.slice(0, 40));
      throw new RequestError(`instruction ${index + 1}, ${start}: ${error.message}`, error.hint);
    }
  }
}

function pathOf(segments: StitchResult['path']): Answer['path'] {
  return segments.map(({ anchor, blocks: [from, to] }) => ({ anchor, blocks: [from, to] }));
}

/**
 * @param file .json or .jsonl in the form of Alpaca, or .txt with an instruction on each line
 * @throws RequestError for a file that is not there, not UTF-8, wrong or empty
 */
export async function questionsIn(file: string): Promise<Question[]> {
  if (!/\.txt$/i.test(file)) {
    return (await readInstructions(file)).map(({ instruction, input }) => ({ instruction, input }));
  }
  const text = await readUtf8(file, 'Give a .txt, .json or .jsonl file of instructions.');
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new RequestError(`${file} holds no instructions`, 'Write one on each line.');
  return lines.map((instruction) => ({ instruction, input: '' }));
}

/** Whether Ctrl-C has cut short what so many stitches were asked: an answer is not whole, or some are missing. */
export function areCutShort(questions: readonly AnsweredQuestion[], stitches: number): boolean {
  return questions.some(
    ({ answers }) => answers.length < stitches || answers.some(({ stopped }) => stopped === 'interrupted'),
  );
}

/**
 * Writes answers.json of the trial, which reports show.
 * @param answers of all its deployed stitches
 * @returns the file; undefined, and what was there stays, where the answers are cut short
 */
export async function writeAnswers(
  { folder, name, result }: MeasuredRun,
  answers: Omit<TrialAnswers, 'version'>,
): Promise<string | undefined> {
  if (areCutShort(answers.questions, result.stitches.length)) return undefined;
  const file = path.join(trialFolderIn(folder, { name }), answersFile);
  const content: TrialAnswers = { version: answersVersion, ...answers };
  await writeJson(file, content);
  return file;
}
