/**
 * Instruction data as Stanford Alpaca publishes it (alpaca_data.json): a JSON list of objects, or the same objects as
 * JSON lines, which alpaca-lora takes too.
 */
import { z } from 'zod';
import { check, type Problem, show } from '../../config/problems.js';
import { RequestError } from '../../shared/errors.js';
import { readUtf8 } from '../text/utf8.js';
import { entriesOf } from './entries.js';

export interface Instruction {
  readonly instruction: string;
  /** Empty where the instruction stands alone. */
  readonly input: string;
  readonly output: string;
}

/** What text-davinci-003 wrote in place of an empty input; some published copies still have it. */
const noInput = '<noinput>';

const schema = z.looseObject({
  instruction: z.string(),
  input: z.string().nullable().default(null),
  output: z.string(),
});

const keys = Object.keys(schema.shape);

/** Problems that are listed; a file of another kind has one in each entry. */
const mostProblems = 5;

const hint = 'Each entry needs the texts "instruction" and "output", and may have "input".';

/**
 * @param file with a list, or with an object on each line; empty lines are skipped
 * @throws RequestError for a file that is not UTF-8, or that names the entries with what is wrong in them
 */
export async function readInstructions(file: string): Promise<Instruction[]> {
  const text = await readUtf8(file, 'Give a .json or .jsonl file of instructions.');
  const entries = entriesOf(text, file, hint);
  if (entries.length === 0) throw new RequestError(`${file} holds no instructions`, hint);
  const problems: string[] = [];
  const instructions: Instruction[] = [];
  for (const { value, place } of entries) {
    const result = checked(value);
    if ('config' in result) {
      const { instruction, input, output } = result.config;
      const isNone = input === null || input.trim() === noInput;
      instructions.push({ instruction, input: isNone ? '' : input, output });
    } else {
      for (const { path, message } of result.problems) {
        problems.push(`  ${place}: ${[path.join('.') || show(value), message].join(': ')}`);
      }
    }
  }
  if (problems.length === 0) return instructions;
  const more = problems.length - mostProblems;
  throw new RequestError(
    [
      `${file} does not hold instructions in the form of Alpaca:`,
      ...problems.slice(0, mostProblems),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ].join('\n'),
    hint,
  );
}

/** Further keys are allowed, but not one that was meant for a known key: its text would be left out. */
function checked(value: unknown): ReturnType<typeof check<z.infer<typeof schema>>> {
  const given = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const misspelt = given.flatMap((key): Problem[] => {
    const meant = keys.find((known) => known === key.toLowerCase() && known !== key);
    return meant === undefined ? [] : [{ path: [key], message: `has to be called "${meant}"` }];
  });
  return misspelt.length > 0 ? { problems: misspelt } : check(schema, value);
}
