import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GraphNode } from '../../../../src/engine/onnx/model-proto.js';
import { peakBytes } from '../../../../src/engine/onnx/programs/peak-bytes.js';

const node = (operator: string, inputs: string[], ...outputs: string[]): GraphNode => ({
  ...{ operator, domain: '', inputs, outputs, attributes: {} },
});
const peakOf = (nodes: readonly GraphNode[], outputs: readonly string[], sizes: Readonly<Record<string, number>>) =>
  peakBytes(
    { nodes, constants: [], inputs: [], outputs: outputs.map((name) => ({ name, shape: [], dtype: 'float32' })) },
    new Map(Object.entries(sizes)),
  );

test('a value takes memory from its node to its last reader', () => {
  const chain = [node('Exp', ['x'], 'a'), node('Exp', ['a'], 'b'), node('Exp', ['b'], 'c')];
  assert.equal(peakOf(chain, ['c'], { a: 10, b: 20, c: 1 }), 30);
  // A gradient reads what the forward pass has computed first.
  const back = [...chain, node('Mul', ['c', 'a'], 'd')];
  assert.equal(peakOf(back, ['d'], { a: 10, b: 20, c: 1, d: 4 }), 31);
  assert.equal(peakOf(chain, ['a', 'c'], { a: 10, b: 20, c: 25 }), 55, 'an output stays to the end');
});

test('a view takes none, and keeps what it shows', () => {
  const nodes = [
    node('Exp', ['x'], 'a'),
    node('Reshape', ['a', 'shape'], 'v'),
    node('Exp', ['x'], 'b'),
    node('Exp', ['v'], 'c'),
  ];
  assert.equal(peakOf(nodes, ['c', 'b'], { a: 10, v: 10, b: 20, c: 1 }), 31);
});

test('what nobody reads is freed at once', () => {
  const nodes = [node('Split', ['x'], 'a', 'unused'), node('Exp', ['a'], 'b')];
  assert.equal(peakOf(nodes, ['b'], { a: 10, unused: 50, b: 5 }), 60);
});
