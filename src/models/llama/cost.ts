/**
 * FLOPs of the parts of a LLaMA network on one sequence, counted as models/cost.ts says. fvcore counts nothing for
 * RMSNorm, rotary positions and the look-up of embeddings, and knows no causal attention: all pairs of tokens count.
 */
import { sum } from '../../shared/groups.js';
import { attentionFlops, linearFlops } from '../cost.js';
import type { LlamaConfig } from './config.js';
import { projectionWidths } from './tensors.js';

/** @param length tokens of the sequence */
export function llamaBlockFlops(config: LlamaConfig, length: number): number {
  const projections = Object.values(projectionWidths(config)).map(({ from, to }) => linearFlops(length, from, to));
  return sum(projections) + attentionFlops(length, config.heads * config.headWidth);
}

/** Logits of every token. */
export function llamaHeadFlops({ width, vocabulary }: LlamaConfig, length: number): number {
  return linearFlops(length, width, vocabulary);
}
