/** Graphs written node by node: free extents, constants of the graph's own, outputs written where they are wanted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenGraph } from '../../../../src/engine/onnx/open-graph.js';
import { openGraph } from '../../../../src/engine/onnx/programs/graph-session.js';
import { float32 } from '../../../../src/shared/arrays.js';

test('a graph holds its constants, takes any number of rows, and writes into the arrays that it is given', async (t) => {
  const width = 2 ** 15; // 128 KiB: handed over beside the model
  const added = float32([width], new Float32Array(width).fill(2));
  const graph = new OpenGraph();
  const sum = graph.node('Add', ['x', graph.weight('added', added)], {}, 'sum');
  graph.node('Neg', [sum], {}, 'less');
  const shape = ['rows', width];
  const session = await openGraph(
    {
      ...{ nodes: graph.nodes, constants: graph.constants },
      inputs: [{ name: 'x', dtype: 'float32', shape }],
      outputs: ['sum', 'less'].map((name) => ({ name, dtype: 'float32', shape })),
    },
    1,
  );
  t.after(() => session.close());
  added.data.fill(50);
  for (const rows of [1, 3]) {
    const x = float32([rows, width], new Float32Array(rows * width).fill(1));
    const into = float32([rows, width]);
    const results = await session.run({ x }, { sum: into });
    assert.deepEqual(Object.keys(results), ['less']);
    assert.deepEqual(results['less'], float32([rows, width], new Float32Array(rows * width).fill(-3)));
    assert.ok(into.data.every((value) => value === 3));
  }
});
