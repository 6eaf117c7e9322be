/** What deployed stitches of language models answer to instructions (Figures G and H). */
import { promptOf } from '../../data/instructions/template.js';
import type { Engine } from '../../engine/engine.js';
import { beamSearch } from '../../evaluation/generation/beam-search.js';
import { type GenerationOptions, generate } from '../../evaluation/generation/generate.js';
import type { Table } from '../../report/render/table.js';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import type { StitchResult } from '../../run-folder/result.js';
import { Random } from '../../shared/random.js';
import { openDeployedLanguage } from './deployed-language.js';

export interface Question {
  readonly instruction: string;
  /** Empty where the instruction stands alone. */
  readonly input: string;
}

/** An answer of one stitch. */
export interface Answer {
  readonly id: number;
  /** Blocks [from, to) of each anchor on its path. */
  readonly path: StitchResult['path'];
  readonly params: number;
  readonly text: string;
  readonly tokens: number;
  readonly stopped: 'end' | 'length' | 'interrupted';
  readonly seconds_per_token: number;
}

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
  for (const { id, path, params } of stitches) {
    const model = deployed.model(engine, id);
    try {
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
          path,
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

/** The answers to one question, a stitch in each row, by parameters. */
export function answersTable({ instruction, input }: Question, answers: readonly Answer[]): Table {
  return {
    name: 'answers',
    title: input === '' ? instruction : `${instruction} (${input})`,
    columns: [
      { key: 'id', label: 'Stitch', kind: 'number', precision: 0 },
      { key: 'blocks', label: 'Blocks', kind: 'text' },
      { key: 'params', label: 'Params (M)', kind: 'number', precision: 3 },
      { key: 'speed', label: 's/token', kind: 'number', precision: 4 },
      { key: 'text', label: 'Answer', kind: 'text' },
    ],
    rows: answers
      .toSorted((a, b) => a.params - b.params)
      .map(({ id, path, params, text, seconds_per_token: speed }) => ({
        cells: {
          id,
          blocks: path.map(({ anchor, blocks: [from, to] }) => `${anchor}[${from}-${to})`).join(' -> '),
          params: params / 1e6,
          speed,
          text: text.replaceAll('\n', ' '),
        },
      })),
    notes: [],
  };
}
