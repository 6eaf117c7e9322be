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
  const rows = problems.slice(0, listed).map((problem) => {
    const { path, message } = problem;
    const override = overrideOf(path, overrides);
    const text = `${path.length === 0 ? 'the file' : path.join('.')}: ${message}`;
    const others = otherOverrides(problem, override, overrides).map((other) => `, with --set ${other.text}`);
    return override
      ? {
          order: Number.MAX_SAFE_INTEGER,
          text: `  --set ${override.text}${others.join('')}: ${text}${quoted(problem, override)}`,
        }
      : { order: document.lineOf(path), text: `  line ${document.lineOf(path)}${others.join('')}: ${text}` };
  });
  rows.sort((a, b) => a.order - b.order);
  const number = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const more = problems.length > listed ? [`  and ${problems.length - listed} more`] : [];
  return [`${file} has ${number}`, ...rows.map(({ text }) => text), ...more].join('\n');
}

/** Those that decided the other fields of a rule: it may be they that are to be corrected. */
function otherOverrides(
  { needs = [] }: Problem,
  own: Override | undefined,
  overrides: readonly Override[],
): readonly Override[] {
  const decisive = needs.map((needed) => {
    const path = needed.split('.');
    return overrides.findLast((override) => override.path.every((key, index) => key === path[index]));
  });
  return [...new Set(decisive)].filter((override) => override !== undefined && override !== own) as Override[];
}

/** How to write a text that YAML takes for a number, for true or for false; the shell takes quotes of its own off. */
function quoted({ path, wantsText }: Problem, override: Override): string {
  const { text, value } = override;
  const isTaken = typeof value === 'number' || typeof value === 'boolean';
  if (!wantsText || !isTaken || path.join('.') !== override.path.join('.')) return '';
  const at = text.indexOf('=') + 1;
  return `; as a text: --set '${text.slice(0, at)}"${text.slice(at).trim()}"'`;
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
