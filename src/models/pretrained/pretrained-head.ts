/** What becomes of the classifier a network was pretrained with: its classes are rarely those of the task. */
import { type LoadReport, prepare, type Recipe } from './assemble.js';
import type { Weights } from './formats/weights.js';

export interface PretrainedHead {
  readonly outcome: LoadReport['head'];
  /** Classes of the head that is kept. */
  readonly keptClasses?: number;
}

/**
 * @param recipe how timm's tensors are made
 * @param module timm's name of the classifier
 * @param classes of the task; undefined keeps any head
 */
export async function pretrainedHead(
  weights: Weights,
  recipe: (timmName: string) => Recipe,
  module: string,
  classes: number | undefined,
): Promise<PretrainedHead> {
  const bias = recipe(`${module}.bias`);
  const sources = [...recipe(`${module}.weight`).from, ...bias.from];
  if (!sources.every((name) => weights.names.has(name))) return { outcome: 'absent' };
  const found = (await prepare(weights, { recipe: bias })).shape[0]!;
  return classes === undefined || classes === found ? { outcome: 'kept', keptClasses: found } : { outcome: 'replaced' };
}
