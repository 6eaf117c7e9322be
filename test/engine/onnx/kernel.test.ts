import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Graph } from '../../../src/engine/onnx/graph.js';
import { kernel, runKernel } from '../../../src/engine/onnx/kernel.js';

const graph = new Graph();
const x = graph.input('x', [2], 'float32');
const product = kernel(['x', 'bias?'], (_graph, { x, bias }) => bias ?? x);

test('a kernel gets the inputs that it declares; optional ones may be absent', () => {
  const bias = graph.input('bias', [1], 'float32');
  assert.equal(runKernel('Product', product, graph, { x }, {}), x);
  assert.equal(runKernel('Product', product, graph, { x, bias }, {}), bias);
});

test('an absent input is named with its kernel', () => {
  assert.throws(() => runKernel('Product', product, graph, { y: x }, {}), /kernel Product was given no input x, but y/);
});
