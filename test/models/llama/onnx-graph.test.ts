/** A network as a decoder with past in an ONNX file, run by ONNX Runtime: logits that PEFT and transformers have computed. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type DecoderFile, openDecoderFile } from '../../../src/engine/onnx/files/decoder-file.js';
import { withExternalData } from '../../../src/engine/onnx/files/external-data.js';
import { encodeModel, type GraphParts } from '../../../src/engine/onnx/model-proto.js';
import { wholePath } from '../../../src/models/llama/cached.js';
import type { LlamaWeights } from '../../../src/models/llama/llama.js';
import { loadLlama } from '../../../src/models/llama/load.js';
import { decoderGraph } from '../../../src/models/llama/onnx-graph.js';
import type { Float32NdArray } from '../../../src/shared/arrays.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';
import { fixture } from '../../fixture.js';

const { ids, logits } = JSON.parse(await readFile(fixture('peft/logits.json'), 'utf8')) as {
  ids: number[][];
  logits: number[];
};
const [length, vocabulary] = [5, 11];
const rowsOf = (text: number) => logits.slice(text * length * vocabulary, (text + 1) * length * vocabulary);

async function graphOfFixture(): Promise<GraphParts> {
  const { config, weights } = await loadLlama(fixture('peft/network'), { adapter: fixture('peft/adapter') });
  return decoderGraph(wholePath(weights as LlamaWeights<Float32NdArray>), [{ config }]);
}

async function opened(context: TestContext, graph: GraphParts, data: readonly Uint8Array[] = []): Promise<DecoderFile> {
  const file = path.join(await temporaryFolder(context), 'model.onnx');
  await writeFile(file, encodeModel({ ...graph, opset: 18 }));
  if (data.length > 0) await writeFile(`${file}_data`, Buffer.concat(data));
  const decoder = await openDecoderFile(file);
  context.after(() => decoder.close());
  return decoder;
}

function assertNear(actual: ArrayLike<number>, expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  for (const [index, logit] of expected.entries()) assert.ok(Math.abs(logit - actual[index]!) < 1e-5 * largest);
}

test('inputs and outputs have the names and extents of a decoder with past, as optimum has them', async () => {
  const { inputs, outputs } = await graphOfFixture();
  const shown = (values: GraphParts['inputs']) => values.map(({ name, dtype, shape }) => `${name} ${dtype} ${shape}`);
  const kept = (prefix: string, tokens: string) =>
    [0, 1].flatMap((block) =>
      ['key', 'value'].map((half) => `${prefix}.${block}.${half} float32 batch_size,1,${tokens},4`),
    );
  assert.deepEqual(shown(inputs), [
    'input_ids int64 batch_size,sequence_length',
    'attention_mask int64 batch_size,total_sequence_length',
    'position_ids int64 batch_size,sequence_length',
    ...kept('past_key_values', 'past_sequence_length'),
  ]);
  assert.deepEqual(shown(outputs), [
    'logits float32 batch_size,sequence_length,11',
    ...kept('present', 'total_sequence_length'),
  ]);
});

test('texts side by side, whole and in parts, with and without padding in front', async (t) => {
  const file = await opened(t, await graphOfFixture());
  assertNear((await file.begin().read(ids)).data, [...rowsOf(0), ...rowsOf(1)]);

  const decoder = file.begin();
  const first = await decoder.read(ids.map((text) => text.slice(0, 3)));
  const second = await decoder.read(ids.map((text) => text.slice(3)));
  assert.deepEqual(
    [first.shape, second.shape],
    [
      [2, 3, vocabulary],
      [2, 2, vocabulary],
    ],
  );
  for (const text of [0, 1]) {
    const part = ({ shape, data }: typeof first) =>
      data.slice(text * shape[1]! * vocabulary, (text + 1) * shape[1]! * vocabulary);
    assertNear([...part(first), ...part(second)], rowsOf(text));
  }

  // The second text two tokens later, the first two tokens longer.
  const padded = file.begin();
  await padded.read([ids[0]!.slice(0, 2), [0, 0]], [0, 2]);
  const { data } = await padded.read([[...ids[0]!.slice(2), 1, 1], ids[1]!], [0, 2]);
  assertNear(data.slice(0, 3 * vocabulary), rowsOf(0).slice(2 * vocabulary));
  assertNear(data.slice(5 * vocabulary), rowsOf(1));
});

test('weights that do not fit into a model lie in a file beside it', async (t) => {
  const graph = await graphOfFixture();
  assert.deepEqual(withExternalData(graph, 'unused').data, []);
  // Of at least a page: nothing of this network, but its embedding repeated.
  const table = graph.constants.find(({ name }) => name === 'embed_tokens')!;
  const bytes = Buffer.concat(Array.from({ length: 12 }, () => table.bytes));
  const larger = { ...table, shape: [132, 8], bytes };
  const many = { ...graph, constants: graph.constants.map((constant) => (constant === table ? larger : constant)) };
  const { graph: moved, data } = withExternalData(many, 'model.onnx_data', 4000);
  assert.deepEqual([data[0]!.length, data[1]!.length], [4224, 2 * 4096 - 4224]);
  assert.ok(encodeModel(moved).length < encodeModel(many).length - 4000);
  const file = await opened(t, moved, data);
  assertNear((await file.begin().read(ids)).data, [...rowsOf(0), ...rowsOf(1)]);
});
