/** `--set path=value`: single values of a configuration, changed from the command line. */
import { nearest, RequestError } from '../shared/errors.js';
import { defaultDatasetName } from './dataset-schema.js';
import type { Problem } from './problems.js';
import { parseYaml } from './yaml-document.js';

export interface Override {
  /** As it was typed, `training.epochs=5`. */
  readonly text: string;
  /** Keys and list indices; list entries that were addressed by name are already looked up. */
  readonly path: readonly PropertyKey[];
}

/**
 * Applies `path=value` texts in order; values are read as YAML (5, true, [1e-3, 2e-3], text).
 *
 * A list entry is addressed by its index or its name (`anchors.Ti.checkpoint`), all entries by an asterisk
 * (`data.*.root`), and the only entry of a list needs none of them (`data.root`). Missing sections are made; whether the path means something is left to the schema.
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
      for (const single of withoutAsterisks(changed, keys)) {
        const path: PropertyKey[] = [];
        changed = replace(changed, single, newValue, path);
        overrides.push({ text, path });
      }
    } catch (error) {
      if (!(error instanceof NoSuchEntry)) throw error;
      overrides.push({ text, path: keys });
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
  return { keys, value: parseYaml(value, `--set ${text}`).value };
}

class NoSuchEntry extends Error {}

/** One path for each entry of the lists that `keys` names by asterisks; a mapping stands for a list of itself alone. */
function withoutAsterisks(value: unknown, keys: readonly string[]): (readonly string[])[] {
  const star = keys.indexOf('*');
  if (star === -1) return [keys];
  const list = keys.slice(0, star).reduce<unknown>((container, key) => {
    const index = Array.isArray(container) ? entryIndex(container, key) : undefined;
    const [parent, entry] =
      Array.isArray(container) && index === undefined ? [container[0], key] : [container, index ?? key];
    return (parent as Record<PropertyKey, unknown> | null | undefined)?.[entry];
  }, value);
  if (Array.isArray(list)) return list.flatMap((_, index) => withoutAsterisks(value, keys.with(star, String(index))));
  if (typeof list === 'object' && list !== null) return withoutAsterisks(value, keys.toSpliced(star, 1));
  throw new NoSuchEntry(`there is no list at ${keys.slice(0, star).join('.') || 'the top of the file'}`);
}

/** A copy of `container` with one value replaced; the keys really taken are appended to `taken`. */
function replace(container: unknown, keys: readonly string[], value: unknown, taken: PropertyKey[]): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  if (Array.isArray(container)) {
    const index = entryIndex(container, key);
    // The only entry of a list may go unnamed: then the key is already one of its own.
    const remaining = index === undefined ? keys : rest;
    taken.push(index ?? 0);
    return container.with(index ?? 0, replace(container[index ?? 0], remaining, value, taken));
  }
  if (typeof container === 'object' || container === undefined) {
    const mapping = (container ?? {}) as Record<string, unknown>;
    taken.push(key);
    return { ...mapping, [key]: replace(mapping[key], rest, value, taken) };
  }
  throw new NoSuchEntry(`there is nothing below ${taken.join('.')}, which is ${JSON.stringify(container)}`);
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
