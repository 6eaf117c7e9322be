/** The keys of experiment and pretraining files as a page for people, from the schemas that check them. */
import { groupBy } from '../shared/groups.js';
import type { JsonSchema } from './json-schema.js';

/** One key. */
export interface ReferenceEntry {
  /** `epochs`; below a mapping inside the section `gradient_angles.at`. */
  readonly key: string;
  /** `integer ≥ 1`, `a or b`. */
  readonly type: string;
  /** As YAML, or `required`, or empty where the description says what holds when it is left out. */
  readonly fallback: string;
  readonly description: string;
  readonly source: string;
}

export interface ReferenceSection {
  /** `training`; empty for the keys at the top; `data (species)` for the data sets of a kind. */
  readonly title: string;
  readonly description: string;
  readonly entries: readonly ReferenceEntry[];
}

/** The keys at the top, then a section for each mapping or list of mappings below them. */
export function referenceOf(schema: JsonSchema): ReferenceSection[] {
  const isSection = (field: JsonSchema) => variantsOf(field).length > 0;
  const names = Object.keys(propertiesOf(schema));
  const top = names.filter((name) => !isSection(propertiesOf(schema)[name]!));
  return [
    { title: '', description: '', entries: top.map((name) => entryOf(name, schema)) },
    ...names.filter((name) => !top.includes(name)).flatMap((name) => sectionsOf(name, propertiesOf(schema)[name]!)),
  ];
}

function sectionsOf(name: string, field: JsonSchema): ReferenceSection[] {
  const variants = variantsOf(field);
  const description = documented(field);
  if (variants.length === 1) return [{ title: name, description, entries: entriesOf(variants[0]!) }];
  // Kinds of data sets differ in a few keys: those with the same keys share a section.
  const ownEntries = (variant: JsonSchema) => entriesOf(variant).filter(({ key }) => key !== 'kind');
  const groups = groupBy(variants, (variant) => JSON.stringify(ownEntries(variant)));
  return [
    { title: name, description, entries: [] },
    ...[...groups.values()].map((same) => ({
      title: `${name}, kind ${same.map((variant) => propertiesOf(variant)['kind']!.const).join(', ')}`,
      description: '',
      entries: ownEntries(same[0]!),
    })),
  ];
}

/** The keys of a mapping, those of a mapping inside it by their dotted path. */
function entriesOf(mapping: JsonSchema): ReferenceEntry[] {
  return Object.entries(propertiesOf(mapping)).flatMap(([name, field]) => {
    const inside = field.type === 'object' ? entriesOf(field) : [];
    const own = field.description === undefined ? [] : [entryOf(name, mapping)];
    return [...own, ...inside.map((entry) => ({ ...entry, key: `${name}.${entry.key}` }))];
  });
}

function entryOf(name: string, mapping: JsonSchema): ReferenceEntry {
  const field = propertiesOf(mapping)[name]!;
  const { description = '', source = '' } = field;
  const required = mapping.required?.includes(name) ? 'required' : '';
  const fallback = field.default === undefined ? required : JSON.stringify(field.default).replaceAll(',', ', ');
  return { key: name, type: typeOf(field), fallback, description, source };
}

function documented({ description = '', source }: JsonSchema): string {
  return source === undefined ? description : `${description} (${source})`;
}

/** The mappings that a field holds, alone, in a list or as alternatives. */
function variantsOf(field: JsonSchema): JsonSchema[] {
  const { type, items, anyOf, oneOf } = field;
  if (type === 'object') return [field];
  if (anyOf) return variantsOf(anyOf[0] as JsonSchema);
  if (oneOf) return oneOf.flatMap((one) => variantsOf(one as JsonSchema));
  return type === 'array' && !Array.isArray(items) ? variantsOf(items as JsonSchema) : [];
}

function propertiesOf({ properties = {} }: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return properties as Record<string, JsonSchema>;
}

/** In words: `integer ≥ 1`, `list of numbers > 0`, `esta or sn-net`. */
function typeOf(field: JsonSchema): string {
  const { type, items, const: constant, enum: names, anyOf } = field;
  if (type === undefined && anyOf) return anyOf.map((one) => typeOf(one as JsonSchema)).join(' or ');
  if (constant !== undefined) return String(constant);
  if (names) return names.join(', ').replace(/, ([^,]*)$/, ' or $1');
  if (type === 'object') return 'mapping';
  if (type !== 'array') return [type === 'string' ? 'text' : type, ...boundsOf(field)].join(' ');
  const several = Array.isArray(items) ? items : undefined;
  return several
    ? `[${several.map((one) => typeOf(one as JsonSchema)).join(', ')}]`
    : `list of ${typeOf(items as JsonSchema)}`;
}

function boundsOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchema): string[] {
  const bound = (sign: string, value: unknown) => (typeof value === 'number' ? [`${sign} ${value}`] : []);
  return [
    ...bound('≥', minimum),
    ...bound('>', exclusiveMinimum),
    ...bound('≤', maximum),
    ...bound('<', exclusiveMaximum),
  ];
}
