/** Named shapes: parameters as published, and the costs of the stitches between 7B and 13B. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { llamaArchitecture } from '../../../src/models/llama/architecture.js';
import { llamaConfigFrom } from '../../../src/models/llama/config.js';
import { configJsonOf, llamaNamed, llamaNames } from '../../../src/models/llama/variants.js';
import { sizeOf } from '../../../src/shared/arrays.js';
import { stitchParams } from '../../../src/stitching/space/cost.js';
import { buildStitchSpace } from '../../../src/stitching/space/stitch-space.js';

const named = (name: string) => llamaArchitecture(name, llamaNamed(name), 256);

test('parameters are those that were published', () => {
  const published = { llama_7b: 6_738_415_616, llama_13b: 13_015_864_320, tinyllama_1b: 1_100_048_384 };
  for (const [name, params] of Object.entries(published)) {
    assert.equal(
      named(name).tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
      params,
    );
  }
});

// Parameters do not tell them. LLaMA 1: params.json of Meta; Llama 2 and TinyLlama: their config.json on the hub.
test('heads, norms, rotary base and context are the published ones', () => {
  const published: Readonly<Record<string, readonly number[]>> = {
    llama_7b: [32, 32, 128, 1e-6, 10_000, 2048],
    llama_13b: [40, 40, 128, 1e-6, 10_000, 2048],
    llama2_7b: [32, 32, 128, 1e-5, 10_000, 4096],
    llama2_13b: [40, 40, 128, 1e-5, 10_000, 4096],
    tinyllama_1b: [32, 4, 64, 1e-5, 10_000, 2048],
  };
  for (const [name, expected] of Object.entries(published)) {
    const { heads, keyValueHeads, headWidth, epsilon, theta, contextLength, ...rest } = llamaNamed(name);
    assert.deepEqual([heads, keyValueHeads, headWidth, epsilon, theta, contextLength], expected, name);
    assert.deepEqual([rest.tied, rest.beginId, rest.endIds], [false, 1, [2]], name);
  }
});

test('7B and 13B give 39 stitches from 12.89 to 7.11 billion parameters', () => {
  const anchors = [named('llama_7b'), named('llama_13b')];
  const shapes = anchors.map(({ name, variant: { width, depth } }) => ({ name, width, depth }));
  const { stitches } = buildStitchSpace(shapes, { pairing: 'unpaired' });
  assert.equal(stitches.length, 2 + 39);
  const adaptation = { ranks: [8, 8], stitchingLayerRank: 0, stitchBias: true };
  const billions = (front: number, end: number) => {
    const stitch = stitches.find(({ path }) => path[0]!.blocks[1] === front + 1 && path[1]?.blocks[0] === end)!;
    return Number((stitchParams(stitch, { anchors, classes: 32_000, adaptation }).total / 1e9).toFixed(2));
  };
  assert.deepEqual(
    [billions(0, 1), billions(8, 10), billions(16, 20), billions(24, 30), billions(31, 39)],
    [12.89, 11.65, 10.1, 8.55, 7.11],
  );
});

test('config.json of a named shape is read back as the same; unknown names list the known ones', () => {
  for (const name of llamaNames)
    assert.deepEqual(llamaConfigFrom(configJsonOf(llamaNamed(name)), name), llamaNamed(name));
  assert.throws(() => llamaNamed('llama_7'), /did you mean llama_7b/);
});
