/** The folders of language models: whole, of the shape that was named, with one tokenizer. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { type AnchorConfig, experimentSchema, type TextExperiment } from '../../../src/config/schema/experiment.js';
import { inputProblems } from '../../../src/experiment/inputs.js';
import { commonTokenizer, loadLanguageAnchors } from '../../../src/experiment/text/language-anchors.js';
import { languageArchitectures } from '../../../src/experiment/text/language-space.js';
import { textsIdentity } from '../../../src/experiment/text/text-inputs.js';
import { languageModelFolder } from '../../../src/models/pretrained/sources/embedded.js';
import { float32 } from '../../../src/shared/arrays.js';
import { tinyJson, tinyLlama, writeTinyLlama } from '../../models/llama/tiny-llama.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';

const experiment = (anchors: readonly object[], more: object = {}) =>
  experimentSchema.parse({
    name: 'x',
    anchors,
    data: { kind: 'word-tasks', train_texts: 8, validation_texts: 4 },
    adaptation: { ranks: anchors.map(() => 2) },
    text: { cutoff: 64, micro_batch_size: 2 },
    training: { epochs: 1, batch_size: 4, base_learning_rates: [0.1] },
    ...more,
  }) as TextExperiment;

async function anchorIn(folder: string, name: string, json: object = {}): Promise<AnchorConfig> {
  const checkpoint = path.join(folder, name);
  await writeTinyLlama(checkpoint, tinyLlama(), { json });
  return { name, architecture: 'llama', checkpoint };
}

test('anchors are read one after the other, and say how far they are', async (t) => {
  const folder = temporaryFolder(t);
  const { anchors, ...rest } = experiment([await anchorIn(folder, 'a'), await anchorIn(folder, 'b')]);
  const architectures = languageArchitectures({ ...rest, anchors } as TextExperiment);
  const shares: [string, number][] = [];
  const { weights, heads } = await loadLanguageAnchors(
    anchors,
    architectures,
    'float32',
    (anchor, share) => void shares.push([anchor, share]),
  );
  assert.deepEqual([weights.length, heads], [2, {}]);
  const ofAnchor = (name: string) => shares.flatMap(([anchor, share]) => (anchor === name ? [share] : []));
  for (const name of ['a', 'b']) {
    assert.ok(ofAnchor(name).length > 1);
    assert.deepEqual(
      ofAnchor(name),
      ofAnchor(name).toSorted((x, y) => x - y),
    );
  }
  assert.equal(
    shares.findLastIndex(([anchor]) => anchor === 'a') < shares.findIndex(([anchor]) => anchor === 'b'),
    true,
  );

  // What the texts need of a network does not change its shape; anything else does.
  const wanted = architectures.map((architecture) => ({
    ...{ ...architecture, variant: { ...architecture.variant, contextLength: 999, beginId: 7, endIds: [8] } },
  }));
  await loadLanguageAnchors(anchors, wanted, 'float32');
  const wide = architectures.map((architecture) => ({
    ...{ ...architecture, variant: { ...architecture.variant, mlpWidth: 99 } },
  }));
  await assert.rejects(loadLanguageAnchors(anchors, wide, 'float32'), {
    ...{ name: 'RequestError', message: /^anchor a: \S+ holds another network:\n {2}mlpWidth: .*99.*24/ },
    hint: /or llama, which takes its config\.json/,
  });
});

test('tensors inside blocks that a LLaMA has no place for are refused; what changes no logits is not', async (t) => {
  const folder = temporaryFolder(t);
  const tiny = tinyLlama();
  const load = async (extra: string) => {
    const checkpoint = path.join(folder, extra);
    const stateDict = { ...tiny.stateDict, [extra]: float32([1], new Float32Array(1)) };
    await writeTinyLlama(checkpoint, { ...tiny, stateDict });
    const { anchors } = experiment([{ name: 'a', architecture: 'llama', checkpoint }, await anchorIn(folder, 'b')]);
    return loadLanguageAnchors(anchors, languageArchitectures(experiment(anchors)), 'float32');
  };
  await load('model.layers.1.self_attn.rotary_emb.inv_freq');
  await load('value_head.weight');
  for (const extra of ['model.layers.0.self_attn.q_proj.bias', 'model.layers.2.input_layernorm.weight']) {
    await assert.rejects(load(extra), (error: Error) => {
      assert.equal(error.name, 'RequestError');
      assert.ok(error.message.endsWith(`holds tensors inside its blocks that a plain LLaMA does not have: ${extra}`));
      return true;
    });
  }
});

test('all anchors have one tokenizer, which fits their vocabulary', async (t) => {
  const folder = temporaryFolder(t);
  const [one, other, small] = [
    await anchorIn(folder, 'a'),
    await anchorIn(folder, 'b'),
    await anchorIn(folder, 'c', { vocab_size: 100 }),
  ];
  const of = (...anchors: object[]) => {
    const all = experiment(anchors);
    return commonTokenizer(all.anchors, languageArchitectures(all));
  };
  assert.ok((await of(one, other)).location.startsWith(path.join(folder, 'a')));
  await assert.rejects(of(small, { ...small, name: 'd' }), {
    name: 'RequestError',
    message: /has 420 tokens, the network 100/,
  });
  // The tokenizers of the embedded family have 1024 tokens; in one of them two tokens change their ids.
  const embedded = await readFile(
    path.join(await languageModelFolder('embedded', 'llama_mini_small'), 'tokenizer.json'),
  );
  const json = JSON.parse(String(embedded));
  const [last, before] = Object.keys(json.model.vocab).slice(-2) as [string, string];
  const { [last]: first, [before]: second } = json.model.vocab;
  Object.assign(json.model.vocab, { [last]: second, [before]: first });
  for (const [name, content] of Object.entries({ e: String(embedded), f: JSON.stringify(json) })) {
    await anchorIn(folder, name, { vocab_size: 1024 });
    await writeFile(path.join(folder, name, 'tokenizer.json'), content);
  }
  const anchor = (name: string) => ({ name, architecture: 'llama', checkpoint: path.join(folder, name) });
  await of(anchor('e'), { ...anchor('e'), name: 'again' });
  await assert.rejects(of(anchor('e'), anchor('f')), {
    ...{
      name: 'RequestError',
      message: /^anchors e and f have different tokenizers: \S+ and \S+$/,
      hint: /one family/,
    },
  });
});

test('what is wrong with texts and tokenizers is told together', async (t) => {
  const folder = temporaryFolder(t);
  const anchors = [await anchorIn(folder, 'a'), await anchorIn(folder, 'b')];
  assert.deepEqual(await inputProblems(experiment(anchors)), []);
  const file = path.join(folder, 'alpaca.json');
  const data = [
    { kind: 'word-tasks', name: 'few', train_texts: 3, validation_texts: 1 },
    { kind: 'instructions', name: 'none', file: '/nowhere/alpaca.json' },
    { kind: 'instructions', name: 'broken', file },
  ];
  await writeFile(file, '{}');
  const missing = { name: 'none', architecture: 'llama', checkpoint: path.join(folder, 'empty') };
  await mkdir(missing.checkpoint);
  await writeFile(path.join(missing.checkpoint, 'config.json'), JSON.stringify(tinyJson));
  const problems = await inputProblems(experiment([anchors[0]!, missing], { data }));
  assert.equal(problems.length, 4, problems.join('\n'));
  assert.equal(
    problems[0],
    'data set few: 3 training texts do not fill a batch. Set training.batch_size, now 4, to at most 3, or hold out fewer.',
  );
  assert.equal(problems[1], 'data set none: /nowhere/alpaca.json is not there');
  assert.match(problems[2]!, /^data set broken: .*alpaca\.json/);
  assert.match(problems[3]!, /tokenizer.*\. \S/s, 'with what to do next');
  const filled = experiment(anchors, { data: [{ ...data[0], train_texts: 4 }] });
  assert.deepEqual(await inputProblems(filled), [], 'four fill a batch of four');
  const cut = { text: { cutoff: 16, micro_batch_size: 2, train_on_inputs: false } };
  assert.deepEqual(await inputProblems(experiment(anchors, cut)), [
    'data set word-tasks: text.cutoff: 16 tokens cut off the answers of 8 of 8 training texts and 4 of 4 validation texts, so that nothing is left to learn or to measure. Raise it, or set text.train_on_inputs: true.',
  ]);
});

test('texts are identified by what they say, how many they are, and the tokenizer', async (t) => {
  const folder = temporaryFolder(t);
  const anchors = [await anchorIn(folder, 'a'), await anchorIn(folder, 'b')];
  const of = (more: object = {}) => {
    const all = experiment(anchors, {
      data: { kind: 'word-tasks', train_texts: 8, validation_texts: 4, seed: 1, ...more },
    });
    return textsIdentity(all.data[0] as Parameters<typeof textsIdentity>[0], all);
  };
  const first = await of();
  const { content, tokenizer, ...counts } = first;
  assert.deepEqual(counts, { train: 8, validation: 4 });
  assert.match(content, /^[0-9a-f]{16}$/);
  assert.deepEqual(await of(), first);
  assert.notEqual((await of({ seed: 2 })).content, content);
  const { content: other, tokenizer: same, ...tested } = await of({ test_texts: 2 });
  assert.deepEqual(tested, { train: 8, validation: 4, test: 2 });
  assert.ok(other !== content && same === tokenizer);
});
