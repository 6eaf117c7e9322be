/** Turns problems into the one message that a person reads: a line for each, with the place to correct. */
import type { Override } from './overrides.js';
import type { Problem } from './problems.js';
import type { YamlDocument } from './yaml-document.js';

/** Problems that are told one by one. */
const listed = 50;

/** Problems of the file first, in the order of its lines; then those of `--set`, in the order they were typed. */
export function formatProblems(
  file: string,
  problems: readonly Problem[],
  document: YamlDocument,
  overrides: readonly Override[],
): string {
  const rows = problems.slice(0, listed).map(({ path, message }) => {
    const override = overrideOf(path, overrides);
    const text = `${path.length === 0 ? 'the file' : path.join('.')}: ${message}`;
    return override
      ? { order: Number.MAX_SAFE_INTEGER, text: `  --set ${override.text}: ${text}` }
      : { order: document.lineOf(path), text: `  line ${document.lineOf(path)}: ${text}` };
  });
  rows.sort((a, b) => a.order - b.order);
  const number = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const more = problems.length > listed ? [`  and ${problems.length - listed} more`] : [];
  return [`${file} has ${number}`, ...rows.map(({ text }) => text), ...more].join('\n');
}

/** The last override that decided the value at `path`: one of it, of what holds it, or of an unknown key's inside. */
export function overrideOf(path: readonly PropertyKey[], overrides: readonly Override[]): Override | undefined {
  return overrides.findLast((override) => {
    const length = Math.min(path.length, override.path.length);
    return length > 0 && override.path.slice(0, length).join('.') === path.slice(0, length).join('.');
  });
}

/** The path as the file has it: the schema sees a list where the file may have a single `data:` mapping. */
export function pathAsWritten(path: readonly PropertyKey[], value: unknown): readonly PropertyKey[] {
  const isSingle = typeof value === 'object' && value !== null && 'data' in value && !Array.isArray(value.data);
  return isSingle && path[0] === 'data' && path[1] === 0 ? ['data', ...path.slice(2)] : path;
}
