/** Loads pretrained weights of any family as the tree that the network computes with. */
import type { Float32NdArray } from '../../shared/arrays.js';
import type { Architecture } from '../architecture.js';
import type { NetworkWeights } from '../blockwise.js';
import { convNeXtHeadFrom, convNeXtWeightsFrom } from '../convnext/weights.js';
import type { Linear } from '../layers.js';
import { headFrom, weightsFrom } from '../vit/weights.js';
import type { LoadReport } from './assemble.js';
import { loadConvNeXt } from './load-convnext.js';
import { loadViT } from './load-vit.js';

export interface LoadedNetwork {
  readonly weights: NetworkWeights<Float32NdArray>;
  /** The pretrained classifier, where the report says 'kept'. */
  readonly head: Linear<Float32NdArray> | undefined;
  readonly report: LoadReport;
}

/**
 * @param source `embedded`, `hf-hub:OWNER/NAME[@REVISION]`, a folder, or a file
 * @param options classes of the task: a pretrained head of another size is left out. Default: any head is kept
 * @throws RequestError that says what the file holds instead
 */
export async function loadNetwork(
  source: string,
  architecture: Architecture,
  options: { readonly classes?: number } = {},
): Promise<LoadedNetwork> {
  if (architecture.family === 'vit') {
    const { weights, report } = await loadViT(source, architecture.variant, options);
    return { weights: weightsFrom(weights, architecture.variant), head: headFrom(weights), report };
  }
  const { weights, report } = await loadConvNeXt(source, architecture.variant, options);
  return { weights: convNeXtWeightsFrom(weights, architecture.variant), head: convNeXtHeadFrom(weights), report };
}
