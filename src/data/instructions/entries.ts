/** The entries of a file of JSON, and where they stand in it. */
import { RequestError } from '../../shared/errors.js';

export interface Entry {
  readonly value: unknown;
  /** In the file, from 1, for messages: a line, and of a list, which may all be on one, the entry. */
  readonly place: string;
}

/** Of a list, or of objects on lines of their own, whatever the file is called; empty lines are skipped. */
export function entriesOf(text: string, file: string, hint: string): Entry[] {
  const whole = parsedOrNothing(text);
  if (Array.isArray(whole)) {
    const lines = linesOfEntries(text);
    return whole.map((value: unknown, index) => ({ value, place: `entry ${index + 1}, line ${lines[index]!}` }));
  }
  // A list that was cut is no line either; an object over several lines is one.
  if (text.trimStart().startsWith('[')) parsed(text, file, hint);
  if (whole !== undefined && text.trim().includes('\n')) {
    throw new RequestError(
      `${file} holds no list of instructions`,
      'Write objects on lines of their own, or in a list.',
    );
  }
  return text.split('\n').flatMap((content, index): Entry[] => {
    if (content.trim() === '') return [];
    return [{ value: parsed(content, `line ${index + 1} of ${file}`, hint), place: `line ${index + 1}` }];
  });
}

function parsedOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parsed(text: string, what: string, hint: string): unknown {
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
  // Brackets, ends of lines, beginnings of strings, and all other values; commas and colons lie between them.
  const tokens = /[[\]{}\n"]|[^\s,:[\]{}"]+/g;
  for (let found = tokens.exec(json); found; found = tokens.exec(json)) {
    const [token] = found;
    if (token === '"') tokens.lastIndex = endOfString(json, found.index) + 1;
    if (token === '\n') line++;
    else if (token === ']' || token === '}') depth--;
    else {
      if (depth === 1) lines.push(line);
      if (token === '[' || token === '{') depth++;
    }
  }
  return lines;
}

/** Position of the closing quote; a loop, because a regular expression overflows the stack on texts of some MB. */
function endOfString(json: string, start: number): number {
  let end = start + 1;
  while (json[end] !== '"') end += json[end] === '\\' ? 2 : 1;
  return end;
}
