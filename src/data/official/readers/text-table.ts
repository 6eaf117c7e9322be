/**
 * The text files of official data sets: one record per line, two columns. Lines may end in CR LF; empty ones are
 * skipped.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, RequestError } from '../../../shared/errors.js';
import type { Sample } from '../../dataset.js';

/** Non-empty lines of a text file that must exist; a byte order mark, which some editors write, is no part of the first. */
export async function readLines(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new RequestError(`${file} cannot be read: ${messageOf(error)}`);
  });
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
}

/** `<key> <value>` lines, split at the first space only: values may contain spaces. Keys must be unique. */
export async function readTable(file: string): Promise<Map<string, string>> {
  const table = new Map<string, string>();
  for (const [index, line] of (await readLines(file)).entries()) {
    const space = line.indexOf(' ');
    if (space <= 0) {
      throw new RequestError(`${file}, record ${index + 1}: expected '<id> <value>', found '${line}'`);
    }
    const key = line.slice(0, space);
    if (table.has(key)) throw new RequestError(`${file}, record ${index + 1}: the id ${key} occurs twice`);
    table.set(key, line.slice(space + 1).trim());
  }
  return table;
}

/**
 * An image list as NOAH, CoOp and SPT write them: `<path> <label>` lines, split at the last space, labels 0 to
 * `classCount - 1`. Paths are joined with `base`.
 */
export async function readImageList(file: string, base: string, classCount: number): Promise<Sample[]> {
  return (await readLines(file)).map((line, index) => {
    const where = `${file}, record ${index + 1}`;
    const space = line.trimEnd().lastIndexOf(' ');
    if (space <= 0) throw new RequestError(`${where}: expected '<path> <label>', found '${line}'`);
    const label = toInteger(line.slice(space + 1), where);
    checkRange(label, 0, classCount - 1, where);
    return { file: path.join(base, line.slice(0, space)), label };
  });
}

/** A whole number; zero-padded strings such as `"007"` are numbers too. */
export function toInteger(value: unknown, where: string): number {
  const number = typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) {
    throw new RequestError(`${where}: expected a whole number, found ${JSON.stringify(value)}`);
  }
  return number;
}

/** A label or image number outside of what the data set has is a RequestError. */
export function checkRange(value: number, low: number, high: number, where: string): void {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new RequestError(`${where}: ${value} is out of range, allowed are ${low} to ${high}`);
  }
}
