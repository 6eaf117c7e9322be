/** The weights that the training of an anchor starts from. */
import type { Architecture } from '../../models/architecture.js';
import { fromScratch, type Network } from '../../models/from-scratch.js';
import { loadNetwork } from '../../models/pretrained/load-network.js';
import type { Float32NdArray } from '../../shared/arrays.js';
import { Random } from '../../shared/random.js';
import type { PretrainedAnchor } from './anchor-identity.js';

/**
 * Those of a checkpoint, with its head where that tells as many classes apart, else drawn by the seed.
 * @throws RequestError where the checkpoint is not of this architecture
 */
export async function initialNetwork(
  { name, checkpoint }: Pick<PretrainedAnchor, 'name' | 'checkpoint'>,
  architecture: Architecture,
  classes: number,
  seed: number,
): Promise<Network<Float32NdArray>> {
  const drawn = () => fromScratch(architecture).fresh(classes, Random.of(seed, 'weights', name));
  if (checkpoint === undefined) return drawn();
  const { weights, head } = await loadNetwork(checkpoint, architecture, { classes });
  return { weights, head: head ?? drawn().head };
}
