/** Generation on what stands in for a card: it says what the traced program says on the CPU. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextTokenizer } from '../../../src/data/text/tokenizer.js';
import type { Engine } from '../../../src/engine/engine.js';
import { beamSearch } from '../../../src/evaluation/generation/beam-search.js';
import { generate } from '../../../src/evaluation/generation/generate.js';
import { inPlaceReader } from '../../../src/evaluation/generation/in-place-reader.js';
import { readerModel } from '../../../src/evaluation/generation/language-model.js';
import { greedy } from '../../../src/evaluation/generation/sampling.js';
import { tokenReader, tracedReader } from '../../../src/evaluation/generation/token-reader.js';
import { wholePath } from '../../../src/models/llama/cached.js';
import { loadLlama } from '../../../src/models/llama/load.js';
import { languageModelFolder } from '../../../src/models/pretrained/sources/embedded.js';
import { Random } from '../../../src/shared/random.js';
import { enginesBesideCpu } from '../../engine/nvidia/stand-in/beside-cpu.js';
import { noTestCard } from '../../engine/nvidia/stand-in/stand-in.js';
import { differenceOf, logitsOf, shapes, stitch } from './adapted-stitch.js';

const skip = noTestCard;
const engines = enginesBesideCpu();

for (const storage of ['float32', '8bit'] as const) {
  test(`a stitch of ${storage} weights: prompts, tokens of several texts, and beams`, { skip }, async () => {
    const weights = stitch(storage);
    const expected = await logitsOf(tracedReader(engines.cpu, shapes, weights), 6);
    const actual = await logitsOf(inPlaceReader(engines.nvidia, shapes, weights), 6);
    assert.ok(differenceOf(actual, expected) < 1e-5, `${differenceOf(actual, expected)}`);
  });
}

test('a text that has ended leaves its memory, and the programs in it, to the next', { skip }, async () => {
  const model = readerModel(inPlaceReader(engines.nvidia, shapes, stitch('8bit')), shapes);
  const [one, other] = [model.begin(1, { tokens: 20 }), model.begin(1, { tokens: 200 })];
  const logits = [await one.read([3]), await other.read([3])];
  assert.deepEqual(logits[0], logits[1]);
  const { programs } = engines.nvidia.programMemory!();
  await one.read([4]);
  one.end();
  await assert.rejects(one.read([5]), /belongs to others/);
  const next = model.begin(1, { tokens: 150 });
  assert.deepEqual(await next.read([3]), logits[0], 'nothing of the text before is seen');
  assert.equal(engines.nvidia.programMemory!().programs, programs);
  const chosen = other.select([0]);
  await assert.rejects(other.read([4]), /belongs to others/);
  assert.throws(() => chosen.select([0, 0]), /there is room for 1/);
  model.dispose();
});

test('memory that is too small for a longer text is given back, with its programs', { skip }, async () => {
  const model = readerModel(inPlaceReader(engines.nvidia, shapes, stitch('8bit')), shapes);
  const before = engines.nvidia.programMemory!().programs;
  for (const tokens of [20, 400, 20]) {
    const text = model.begin(1, { tokens });
    await text.read([3]);
    text.end();
    assert.equal(engines.nvidia.programMemory!().programs, before + 1, `${tokens}`);
  }
  model.dispose();
});

test('an embedded language model writes the same text, float32 and 8 bits, also by beams', { skip }, async () => {
  const folder = await languageModelFolder('embedded', 'llama_mini_small');
  const prompt = 'And God said, Let there be';
  const tokenizer = await TextTokenizer.open(folder);
  const written = async (engine: Engine, storage: 'float32' | '8bit') => {
    const { config, weights } = await loadLlama(folder, { storage });
    const [shapes, path] = [[{ config, scale: 1 }], wholePath(weights)];
    // Not the graph that rounds what is multiplied with 8 bits.
    const model = readerModel((engine === engines.cpu ? tracedReader : tokenReader)(engine, shapes, path), shapes);
    const random = Random.of(0, 'unused');
    const one = await generate(model, tokenizer, prompt, { sampling: greedy, maxTokens: 6, random });
    const best = await beamSearch(model, tokenizer, prompt, { beams: 4, maxTokens: 4 });
    model.dispose();
    return [one.text, best.text];
  };
  for (const storage of ['float32', '8bit'] as const) {
    const [actual, expected] = [await written(engines.nvidia, storage), await written(engines.cpu, storage)];
    assert.ok(expected.every((text) => text.length > 5));
    assert.deepEqual(actual, expected, storage);
  }
});
