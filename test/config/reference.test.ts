/** The page of the keys, from a schema written by hand that has every form of key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonSchema } from '../../src/config/json-schema.js';
import { referenceOf } from '../../src/config/reference.js';

const documented = (fields: object, description: string, source = 'the paper') => ({ ...fields, description, source });

/** A key whose text on the page is its own name. */
const key = (name: string, fields: object) => [name, documented(fields, name)] as const;

const keys = Object.fromEntries([
  key('plain', { type: 'string' }),
  key('fixed', { const: 5 }),
  key('either', { type: 'string', enum: ['esta', 'sn-net'] }),
  key('any', { type: 'string', enum: ['a', 'b', 'c'] }),
  key('from', { type: 'integer', minimum: 1, default: 100 }),
  key('between', { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }),
  key('upTo', { type: 'integer', minimum: 0, maximum: 16384 }),
  key('flag', { type: 'boolean', default: false }),
  key('rates', { type: 'array', items: { type: 'number', exclusiveMinimum: 0 }, default: [0.1, 0.2, 0.4] }),
  key('edges', { type: 'array', items: [{ type: 'integer', minimum: 0 }, { type: 'integer' }] }),
  key('inner', { type: 'object', properties: { at: documented({ type: 'number' }, 'When.') }, required: ['at'] }),
  ['silent', { type: 'object', properties: { deep: documented({ type: 'boolean' }, 'Deep.') } }],
]);

const entry = (name: string, type: string, fallback = '') => ({
  ...{ key: name, type, fallback },
  ...{ description: name, source: 'the paper' },
});

test('a key is given with its type, its bounds and its default; one inside a mapping by its dotted path', () => {
  const [, section] = referenceOf({ properties: { section: { type: 'object', properties: keys } } } as JsonSchema);
  assert.deepEqual(section!.entries, [
    entry('plain', 'text'),
    entry('fixed', '5'),
    entry('either', 'esta or sn-net'),
    entry('any', 'a, b or c'),
    entry('from', 'integer ≥ 1', '100'),
    entry('between', 'number > 0 < 1'),
    entry('upTo', 'integer ≥ 0 ≤ 16384'),
    entry('flag', 'boolean', 'false'),
    entry('rates', 'list of number > 0', '[0.1, 0.2, 0.4]'),
    entry('edges', '[integer ≥ 0, integer]'),
    entry('inner', 'mapping'),
    { ...entry('inner.at', 'number', 'required'), description: 'When.' },
    { ...entry('silent.deep', 'boolean'), description: 'Deep.' },
  ]);
});

test('keys at the top stand first, then a section for each mapping or list of mappings', () => {
  const name = { type: 'string', description: 'The name.' };
  const sections = referenceOf({
    required: ['name'],
    properties: {
      training: documented({ type: 'object', properties: { epochs: name } }, 'Passes.', 'A'),
      anchors: { type: 'array', description: 'Networks.', items: { type: 'object', properties: { name } } },
      name,
      seeds: { type: 'array', items: { type: 'integer' } },
      empty: { type: 'object' },
    },
  } as JsonSchema);
  const text = { type: 'text', fallback: '', description: 'The name.', source: '' };
  assert.deepEqual(sections, [
    {
      title: '',
      description: '',
      entries: [
        { ...text, key: 'name', fallback: 'required' },
        { key: 'seeds', type: 'list of integer', fallback: '', description: '', source: '' },
      ],
    },
    { title: 'training', description: 'Passes. (A)', entries: [{ ...text, key: 'epochs' }] },
    { title: 'anchors', description: 'Networks.', entries: [{ ...text, key: 'name' }] },
    { title: 'empty', description: '', entries: [] },
  ]);
});

test('kinds of data sets that have the same keys share a section', () => {
  const root = documented({ type: 'string' }, 'root');
  const kindOf = (kind: string, properties: object) => ({
    type: 'object',
    properties: { kind: documented({ const: kind }, 'kind'), ...properties },
    required: ['kind', 'root'],
  });
  const kinds = {
    oneOf: [kindOf('dogs', { root }), kindOf('drawn', { seed: documented({ type: 'integer' }, 'seed') })],
  };
  const birds = kindOf('birds', { root });
  const data = documented({ anyOf: [{ oneOf: [...kinds.oneOf, birds] }, { type: 'array', items: kinds }] }, 'Sets.');
  assert.deepEqual(referenceOf({ properties: { data } } as JsonSchema).slice(1), [
    { title: 'data', description: 'Sets. (the paper)', entries: [] },
    { title: 'data, kind dogs, birds', description: '', entries: [entry('root', 'text', 'required')] },
    { title: 'data, kind drawn', description: '', entries: [entry('seed', 'integer')] },
  ]);
});
