/**
 * Instruction data as Stanford Alpaca publishes it (alpaca_data.json): a JSON list of objects, or the same objects as
 * JSON lines, which alpaca-lora takes too.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { check, show } from '../../config/problems.js';
import { RequestError } from '../../shared/errors.js';

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
  input: z.string().default(''),
  output: z.string(),
});

/** Problems that are listed; a file of another kind has one in each entry. */
const mostProblems = 5;

const hint = 'Each entry needs the texts "instruction" and "output", and may have "input".';

/**
 * @param file .json with a list, or .jsonl with an object on each line; empty lines are skipped
 * @throws RequestError that names the lines with what is wrong in them
 */
export async function readInstructions(file: string): Promise<Instruction[]> {
  const text = (await textOf(file)).replace(/^\ufeff/, '');
  const entries = file.endsWith('.jsonl') ? linesOf(text, file) : listOf(text, file);
  if (entries.length === 0) throw new RequestError(`${file} holds no instructions`, hint);
  const problems: string[] = [];
  const instructions: Instruction[] = [];
  for (const { value, line } of entries) {
    const result = check(schema, value);
    if ('config' in result) {
      const { instruction, input, output } = result.config;
      instructions.push({ instruction, input: input.trim() === noInput ? '' : input, output });
    } else {
      for (const { path, message } of result.problems) {
        problems.push(`  line ${line}: ${[path.join('.') || show(value), message].join(': ')}`);
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

interface Entry {
  readonly value: unknown;
  /** In the file, from 1. */
  readonly line: number;
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new RequestError(`${file} cannot be read (${error.code})`, 'Give a .json or .jsonl file of instructions.');
  });
}

function linesOf(text: string, file: string): Entry[] {
  return text.split('\n').flatMap((content, index): Entry[] => {
    if (content.trim() === '') return [];
    return [{ value: parsed(content, `line ${index + 1} of ${file}`), line: index + 1 }];
  });
}

function listOf(text: string, file: string): Entry[] {
  const list = parsed(text, file);
  if (!Array.isArray(list)) {
    throw new RequestError(
      `${file} holds no list of instructions`,
      'Write objects on lines of their own in a file that ends in .jsonl.',
    );
  }
  const lines = linesOfEntries(text);
  return list.map((value: unknown, index) => ({ value, line: lines[index]! }));
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RequestError(`${what} is not valid JSON: ${(error as Error).message}`, hint);
  }
}

/** Where the entries of a list in valid JSON begin. */
function linesOfEntries(json: string): number[] {
  const lines: number[] = [];
  let line = 1;
  let depth = 0;
  // Strings, brackets, ends of lines, and all other values; commas and colons lie between them.
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}\n]|[^\s,:[\]{}"]+/g)) {
    if (token === '\n') line++;
    else if (token === ']' || token === '}') depth--;
    else {
      if (depth === 1) lines.push(line);
      if (token === '[' || token === '{') depth++;
    }
  }
  return lines;
}
