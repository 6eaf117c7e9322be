/** LLaMA networks of random weights, for benchmarks: time does not depend on weights. */

import { publishedShape } from '../../models/layouts.js';
import type { LlamaConfig } from '../../models/llama/config.js';
import type { LlamaWeights } from '../../models/llama/llama.js';
import { keptLeaf, type Leaf, type Storage, treeOfLeaves } from '../../models/llama/load.js';
import { llamaTensors } from '../../models/llama/tensors.js';
import type { TensorRow } from '../../models/tensor-table.js';
import { float32, isArray, type NdArray, sizeOf } from '../../shared/arrays.js';
import { Random } from '../../shared/random.js';
import { leavesOf } from '../../shared/tree.js';

/** Numbers that are drawn; larger tensors repeat them. */
const drawnNumbers = 2 ** 16;

export interface RandomLlama {
  readonly weights: LlamaWeights<NdArray>;
  /** Of all weights as they are kept. */
  readonly bytes: number;
  readonly params: number;
}

/** One tensor at a time exists in float32, as when weights are read. */
export function randomLlama(config: LlamaConfig, storage: Storage): RandomLlama {
  const drawn = Random.of(0, 'random llama').truncatedNormal(drawnNumbers, 0.02);
  const rows = llamaTensors(config);
  const leaves = new Map<TensorRow, Leaf>();
  for (const row of rows) {
    const shape = publishedShape(row.layout, row.shape);
    const data = new Float32Array(sizeOf(shape));
    for (let begin = 0; begin < data.length; begin += drawnNumbers) {
      data.set(drawn.subarray(0, Math.min(drawnNumbers, data.length - begin)), begin);
    }
    leaves.set(row, keptLeaf(row, float32(shape, data), storage));
  }
  const weights = treeOfLeaves(rows, leaves, storage);
  return {
    weights,
    bytes: leavesOf(weights, isArray).reduce((sum, { leaf }) => sum + leaf.data.byteLength, 0),
    params: rows.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
  };
}
