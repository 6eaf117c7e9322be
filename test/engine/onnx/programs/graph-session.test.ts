/** Graphs written node by node: free extents, constants of the graph's own, outputs written where they are wanted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeModel, type GraphParts } from '../../../../src/engine/onnx/model-proto.js';
import { liveTensors } from '../../../../src/engine/onnx/native/values.js';
import { OpenGraph } from '../../../../src/engine/onnx/open-graph.js';
import type { GraphSession } from '../../../../src/engine/onnx/programs/backend.js';
import { openByNode, openGraph } from '../../../../src/engine/onnx/programs/graph-session.js';
import { float32, type NdArray } from '../../../../src/shared/arrays.js';

const skip = `${process.platform} ${process.arch}` !== 'linux x64' && 'the library is for linux x64';

/** less = -(x + 2) by rows, x + 2 beside it. */
function graphOf(added: NdArray) {
  const graph = new OpenGraph();
  const sum = graph.node('Add', ['x', graph.weight('added', added)], {}, 'sum');
  graph.node('Neg', [sum], {}, 'less');
  const shape = ['rows', ...added.shape];
  return {
    ...{ nodes: graph.nodes, constants: graph.constants },
    inputs: [{ name: 'x', dtype: 'float32', shape }],
    outputs: ['sum', 'less'].map((name) => ({ name, dtype: 'float32', shape })),
  } as const satisfies GraphParts;
}

async function requireSums(session: GraphSession, width: number) {
  for (const rows of [1, 3]) {
    const x = float32([rows, width], new Float32Array(rows * width).fill(1));
    const [sum, less] = [float32([rows, width]), float32([rows, width])];
    await session.run({ x }, { sum, less });
    assert.ok(less.data.every((value) => value === -3));
    assert.ok(sum.data.every((value) => value === 3));
    // In the place of an input.
    await session.run({ x }, { sum: x, less });
    assert.ok(x.data.every((value) => value === 3));
  }
}

test('a graph holds its constants, takes any number of rows, and writes into the arrays that it is given', async (t) => {
  const width = 2 ** 15; // 128 KiB: handed over beside the model
  const added = float32([width], new Float32Array(width).fill(2));
  const session = await openGraph(graphOf(added), 1);
  t.after(() => session.close());
  added.data.fill(50);
  await requireSums(session, width);
});

test('onnxruntime-node computes the same where the C API does not load', async (t) => {
  const graph = graphOf(float32([8], new Float32Array(8).fill(2)));
  const session = await openByNode(encodeModel(graph), [], 1);
  t.after(() => session.close());
  await requireSums(session, 8);
});

test('a run leaves no memory of its outputs to the collector', { skip }, async (t) => {
  const width = 2 ** 20;
  const session = await openGraph(graphOf(float32([width])), 1);
  t.after(() => session.close());
  const [x, sum, less] = [float32([1, width]), float32([1, width]), float32([1, width])];
  const { arrayBuffers } = process.memoryUsage();
  for (let count = 0; count < 4; count++) await session.run({ x }, { sum, less });
  assert.ok(process.memoryUsage().arrayBuffers - arrayBuffers < x.data.byteLength);
  assert.equal(liveTensors(), 0);
});
