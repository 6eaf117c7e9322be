/** What becomes of the classifier a network was pretrained with: its classes are rarely those of the task. */
import { type LoadReport, prepare } from './assemble.js';
import type { TensorSource } from './flavour.js';
import type { Weights } from './formats/weights.js';

export interface PretrainedHead {
  readonly outcome: LoadReport['head'];
  /** Classes of the head that is kept. */
  readonly keptClasses?: number;
}

/**
 * @param names timm's names of the classifier's tensors; the last one has an entry for each class
 * @param classes of the task; undefined keeps any head
 */
export async function pretrainedHead(
  weights: Weights,
  sourceOf: (timmName: string) => TensorSource,
  names: readonly string[],
  classes: number | undefined,
): Promise<PretrainedHead> {
  const sources = names.map(sourceOf);
  if (!sources.every(({ from }) => from.every((name) => weights.names.has(name)))) return { outcome: 'absent' };
  const [found = 0] = (await prepare(weights, { source: sources.at(-1)! })).shape;
  return classes === undefined || classes === found ? { outcome: 'kept', keptClasses: found } : { outcome: 'replaced' };
}
