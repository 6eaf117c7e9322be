import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import { experimentFields } from '../../../src/config/schema/experiment-fields.js';
import { pretrainingSchema } from '../../../src/config/schema/pretraining.js';

/** Dotted paths of the fields that have no documentation, through every wrapper. */
function undocumented(schema: z.core.$ZodType, path: string): string[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([name, inner]) => {
      const below = `${path}.${name}`;
      const isLeaf = !(inner instanceof z.ZodLiteral) && leavesBelow(inner as z.core.$ZodType).length === 0;
      const missing = isLeaf && !isDocumented(inner as z.core.$ZodType) ? [below] : [];
      return [...missing, ...undocumented(inner as z.core.$ZodType, below)];
    });
  }
  return leavesBelow(schema).flatMap((inner) => undocumented(inner, path));
}

function isDocumented(schema: z.core.$ZodType): boolean {
  const { description, source } = z.globalRegistry.get(schema) ?? {};
  return typeof description === 'string' && typeof source === 'string';
}

/** Schemas inside a wrapper that hold named fields. */
function leavesBelow(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodObject) return [schema];
  if (schema instanceof z.ZodArray) return leavesBelow(schema.element);
  if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.flatMap(leavesBelow);
  if (schema instanceof z.ZodPipe) return leavesBelow(schema.out);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return leavesBelow(schema.unwrap());
  }
  return [];
}

test('every field says what it means and where it comes from', () => {
  assert.deepEqual(undocumented(experimentFields, 'experiment'), []);
  assert.deepEqual(undocumented(pretrainingSchema, 'pretraining'), []);
  // The walk itself finds a field that says nothing.
  assert.deepEqual(undocumented(z.object({ list: z.array(z.object({ bare: z.string() })) }), 'x'), ['x.list.bare']);
});

test('a resolved experiment is valid again', async () => {
  const { experimentSchema } = await import('../../../src/config/schema/experiment.js');
  const resolved = experimentSchema.parse({
    name: 'again',
    anchors: [
      { name: 'Ti', architecture: 'a' },
      { name: 'S', architecture: 'b' },
    ],
    data: { kind: 'species' },
    adaptation: { ranks: [1, 1] },
  });
  assert.deepEqual(experimentSchema.parse(resolved), resolved);
});

test('no anchor is pretrained for fewer epochs than the warm-up takes', () => {
  const pretraining = (epochs: number) => ({
    name: 'family',
    data: { kind: 'image-folder', root: 'images' },
    anchors: [{ name: 'Ti', architecture: 'vit_mini_tiny', epochs }],
    training: { epochs: 9, warmup_epochs: 3 },
    output: 'anchors',
  });
  assert.equal(pretrainingSchema.safeParse(pretraining(3)).success, true);
  const { error } = pretrainingSchema.safeParse(pretraining(2));
  assert.match(error!.message, /no fewer epochs than training.warmup_epochs \(3\), received 2 for Ti/);
});

test('sn-net has no scores to deploy by', () => {
  const deploying = (methods: readonly string[], deployBy: string) =>
    experimentSchema.safeParse({
      name: 'choice',
      methods,
      anchors: ['a', 'b'].map((name) => ({ name, architecture: name })),
      data: { kind: 'species' },
      adaptation: { ranks: [2, 2] },
      evaluation: { deploy_by: deployBy },
    });
  assert.equal(deploying(['esta'], 'importance').success, true);
  assert.equal(deploying(['esta', 'sn-net'], 'validation').success, true);
  for (const method of ['sn-net', 'adapt-then-sn-net']) {
    assert.match(deploying([method], 'importance').error!.message, new RegExp(`: ${method} has no importance scores`));
  }
});
