/** `--set path=value`: single values of a configuration, changed from the command line. */
import { nearest, RequestError } from '../shared/errors.js';
import type { Problem } from './problems.js';
import { defaultDatasetName } from './schema/dataset.js';
import { hasComment, parseYaml } from './yaml-document.js';

export interface Override {
  /** As it was typed, `training.epochs=5`. */
  readonly text: string;
  /** Keys and list indices; list entries that were addressed by name are already looked up. */
  readonly path: readonly PropertyKey[];
  /** What is to stand there. */
  readonly value: unknown;
}

/**
 * Applies `path=value` texts in order; values are read as YAML (5, true, [1e-3, 2e-3], text).
 *
 * A list entry is addressed by its index or its name (`anchors.Ti.checkpoint`), all entries by an asterisk
 * (`data.*.root`), and the only entry of a list needs none of them (`data.root`). Missing sections are made; whether
 * the path means something is left to the schema.
 */
export function applyOverrides(
  value: unknown,
  texts: readonly string[],
): { readonly value: unknown; readonly overrides: readonly Override[]; readonly problems: readonly Problem[] } {
  let changed = value;
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  for (const text of texts) {
    const { keys, value: newValue } = parseOverride(text);
    try {
      for (const path of addressed(changed, keys)) {
        changed = replace(changed, path, newValue);
        overrides.push({ text, path, value: newValue });
      }
    } catch (error) {
      if (!(error instanceof NoSuchEntry)) throw error;
      overrides.push({ text, path: keys, value: newValue });
      problems.push({ path: keys, message: error.message });
    }
  }
  return { value: changed, overrides, problems };
}

function parseOverride(text: string): { keys: string[]; value: unknown } {
  const [, path, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  const keys = (path ?? '').trim().split('.');
  if (value === undefined || keys.some((key) => key === '')) {
    throw new RequestError(
      `--set ${JSON.stringify(text)} is not of the form path=value`,
      'For example: --set training.epochs=5 or --set data.root=./flowers.',
    );
  }
  refuseComment(value, text, path!.trim());
  return { keys, value: parseYaml(value, `--set ${text}`).value };
}

/** YAML would read the value up to it: a folder "a #2" would silently be "a". */
function refuseComment(value: string, text: string, path: string): void {
  if (!hasComment(value)) return;
  const isSingleText = /^[^[{'"|>&!*\n]+$/.test(value.trim());
  throw new RequestError(
    `--set ${JSON.stringify(text)}: YAML ends a value at " #", as what follows is a comment there`,
    isSingleText
      ? `Quote the value inside the quotes of the shell: --set '${path}=${JSON.stringify(value.trim())}'.`
      : 'Leave out what follows, or put each text that holds a # in double quotes: ["a #1", "a #2"].',
  );
}

class NoSuchEntry extends Error {}

/**
 * The paths that `keys` address below `container`: several where an asterisk stands for all entries of a list. A mapping
 * takes an asterisk for itself alone, as it may stand for a list of one.
 * @param above the path of `container`, for messages
 */
function addressed(container: unknown, keys: readonly string[], above: readonly PropertyKey[] = []): PropertyKey[][] {
  const [key, ...rest] = keys;
  if (key === undefined) return [[...above]];
  const below = (entry: PropertyKey, remaining: readonly string[]) =>
    addressed((container as Record<PropertyKey, unknown> | null | undefined)?.[entry], remaining, [...above, entry]);
  if (Array.isArray(container)) {
    if (key === '*') return container.flatMap((_, index) => below(index, rest));
    const index = entryIndex(container, key);
    // The only entry of a list may go unnamed: then the key is already one of its own.
    return index === undefined ? below(0, keys) : below(index, rest);
  }
  if (key === '*') {
    if (typeof container === 'object' && container !== null) return addressed(container, rest, above);
    throw new NoSuchEntry(`there is no list at ${above.join('.') || 'the top of the file'}`);
  }
  if (typeof container === 'object' || container === undefined) return below(key, rest);
  throw new NoSuchEntry(`there is nothing below ${above.join('.')}, which is ${JSON.stringify(container)}`);
}

/** A copy of `container` with the value at `path` replaced. */
function replace(container: unknown, [key, ...rest]: readonly PropertyKey[], value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(container)) return container.with(Number(key), replace(container[Number(key)], rest, value));
  const mapping = (container ?? {}) as Record<PropertyKey, unknown>;
  return { ...mapping, [key]: replace(mapping[key], rest, value) };
}

/** The index that `key` names; undefined for the only entry of a list, left unnamed. */
function entryIndex(list: readonly unknown[], key: string): number | undefined {
  if (/^\d+$/.test(key) && Number(key) < list.length) return Number(key);
  const names = list.map(nameOf);
  if (names.includes(key)) return names.indexOf(key);
  if (list.length === 1) return undefined;
  const known = names.filter((name) => name !== undefined);
  const near = nearest(key, known);
  throw new NoSuchEntry(
    `the list has no entry ${JSON.stringify(key)}${near ? `; did you mean ${near}?` : ''} (entries: ${
      known.length > 0 ? known.join(', ') : `0 to ${list.length - 1}`
    })`,
  );
}

function nameOf(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const name = 'name' in entry ? entry.name : defaultDatasetName(entry);
  return typeof name === 'string' ? name : undefined;
}
