/** Says in words where two plain documents differ: what a folder was written for, and what is asked for now. */

/** Names that are listed before the rest is counted. */
const listed = 5;

/**
 * One line for each value that differs, with its dotted path: "training.epochs: there 2, now 3". Lists of objects that have
 * names are compared by name; lists of texts as sets, in which order counts last.
 */
export function differencesOf(there: unknown, now: unknown, path = ''): string[] {
  if (JSON.stringify(there) === JSON.stringify(now)) return [];
  if (isTexts(there) && isTexts(now)) return [`${path}: ${textDifference(there, now)}`];
  const [before, after] = [branchesOf(there), branchesOf(now)];
  if (!before || !after) return [`${path || 'the whole'}: there ${shown(there)}, now ${shown(now)}`];
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const found = names.flatMap((name) =>
    differencesOf(before.get(name), after.get(name), path === '' ? name : `${path}.${name}`),
  );
  // Objects that only list their keys in another order are the same; lists are not.
  return found.length > 0 || !Array.isArray(there) ? found : [`${path}: another order`];
}

function branchesOf(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const isNamed =
    value.length > 0 && value.every((item) => typeof (item as { name?: unknown } | null)?.name === 'string');
  return isNamed ? new Map(value.map((item: { readonly name: string }) => [item.name, item])) : undefined;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
}

function textDifference(there: readonly string[], now: readonly string[]): string {
  const [before, after] = [new Set(there), new Set(now)];
  const gone = there.filter((text) => !after.has(text));
  const come = now.filter((text) => !before.has(text));
  if (gone.length === 0 && come.length === 0) return 'another order';
  const parts = [
    ...(gone.length > 0 ? [`no longer ${some(gone)}`] : []),
    ...(come.length > 0 ? [`new ${some(come)}`] : []),
  ];
  return parts.join(', ');
}

function some(names: readonly string[]): string {
  const rest = names.length - listed;
  return names.slice(0, listed).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
