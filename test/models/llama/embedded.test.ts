/** The language models that are part of this package: one tokenizer, the shapes of their names, and what they have learned. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextTokenizer } from '../../../src/data/text/tokenizer.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { languageModel } from '../../../src/evaluation/generation/language-model.js';
import { loadLlama } from '../../../src/models/llama/load.js';
import { llamaNamed } from '../../../src/models/llama/variants.js';
import { languageModelFolder } from '../../../src/models/pretrained/sources/embedded.js';

test('the larger of the embedded language models knows a verse better, and both better than chance', async (t) => {
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const fingerprints = new Set<string>();
  const losses: number[] = [];
  for (const name of ['llama_mini_small', 'llama_mini_base']) {
    const folder = await languageModelFolder('embedded', name);
    const { config, weights, unused } = await loadLlama(folder);
    assert.deepEqual([config, unused], [llamaNamed(name), []]);
    const tokenizer = await TextTokenizer.open(folder);
    tokenizer.requireVocabulary(config.vocabulary);
    fingerprints.add(tokenizer.fingerprint);
    const model = languageModel(engine, config, weights);
    const reading = model.begin();
    const ids = tokenizer.encode('And God said, Let there be light: and there was light.');
    let loss = 0;
    for (const [index, id] of ids.slice(0, -1).entries()) {
      const logits = await reading.read([id]);
      const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
      loss += total - logits[ids[index + 1]!]!;
    }
    losses.push(loss / (ids.length - 1));
    model.dispose();
  }
  assert.equal(fingerprints.size, 1);
  // ln 1024 = 6.93 is chance; the validation losses are 3.11 and 2.90.
  assert.ok(losses[1]! < losses[0]! && losses[0]! < 4, `${losses}`);
});
