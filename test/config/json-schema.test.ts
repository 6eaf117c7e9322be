/** What JSON Schema says of experiment and pretraining files, where that differs from what the program checks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonSchema, jsonSchemaOf, schemaFile } from '../../src/config/json-schema.js';

/** The schema at a path of property names. */
function at(schema: JsonSchema, ...path: readonly string[]): JsonSchema {
  return path.reduce((inner, name) => inner.properties![name] as JsonSchema, schema);
}

const experiment = jsonSchemaOf('experiment');

test('a document names the files that it is for, and what they must have', () => {
  assert.equal(experiment.title, 'experiment file of esta');
  assert.match(String(experiment.$schema), /draft-07/);
  assert.deepEqual(experiment.required, ['name', 'anchors', 'data', 'adaptation']);
  assert.equal(jsonSchemaOf('pretraining').title, 'pretraining file of esta');
  assert.deepEqual(jsonSchemaOf('pretraining').required, ['name', 'data', 'anchors', 'output']);
});

test('bounds are those of the file, without the largest exact integer of JavaScript', () => {
  const epochs = at(experiment, 'training', 'epochs');
  assert.deepEqual([epochs.minimum, epochs.maximum, epochs.default], [1, undefined, 100]);
  assert.equal(at(experiment, 'adaptation', 'stitching_layer_rank').maximum, 16384);
});

test('data are one data set or a list of at least one, whose names may be left out', () => {
  const { anyOf, type, items, minItems, description, source } = at(experiment, 'data');
  assert.deepEqual([type, items, minItems], [undefined, undefined, undefined]);
  assert.match(description!, /^One data set/);
  assert.equal(source, 'this project');
  const [single, list] = anyOf as [JsonSchema, JsonSchema];
  assert.deepEqual(list, { type: 'array', items: single, minItems: 1 });
  const required = (single.oneOf as JsonSchema[]).map((one) => [at(one, 'kind').const, one.required]);
  assert.deepEqual(Object.fromEntries(required), {
    species: ['kind'],
    ...Object.fromEntries(
      [
        'image-folder',
        'cub-200-2011',
        'nabirds',
        'oxford-flowers-102',
        'stanford-dogs',
        'stanford-cars',
        'cifar-100',
      ].map((kind) => [kind, ['kind', 'root']]),
    ),
    'vtab-1k': ['kind', 'root', 'task'],
    instructions: ['kind', 'file'],
    'word-tasks': ['kind'],
  });
});

test('editors show the description, and below it the source', () => {
  const file = schemaFile('experiment');
  assert.ok(file.endsWith('}\n'));
  const shown = JSON.parse(file) as JsonSchema;
  const { description, source } = at(experiment, 'sampling', 'eta');
  const eta = at(shown, 'sampling', 'eta');
  assert.deepEqual(eta, {
    ...{ type: 'number', minimum: 0, exclusiveMaximum: 1, default: 0.9 },
    description: `${description}\n\nSource: ${source}`,
  });
  assert.deepEqual([description, source], ['Momentum of the importance scores.', 'supplement E']);
  assert.deepEqual([shown.title, shown.required], [experiment.title, experiment.required]);
});
