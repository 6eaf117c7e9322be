/** The weights that the training of an anchor starts from. */
import { type Architecture, imageInputOf } from '../../models/architecture.js';
import { fromScratch, type Network } from '../../models/from-scratch.js';
import { loadNetwork } from '../../models/pretrained/load-network.js';
import type { Float32NdArray } from '../../shared/arrays.js';
import { Random } from '../../shared/random.js';
import { normalisationText } from '../anchor-normalisation.js';
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

/**
 * Reads the checkpoint of an anchor, where it has one: what does not fit is refused before other anchors are trained.
 * @param say is told what a user should know of it
 * @throws RequestError as `initialNetwork`
 */
export async function checkStart(
  { name, checkpoint }: Pick<PretrainedAnchor, 'name' | 'checkpoint'>,
  architecture: Architecture,
  classes: number,
  say: (note: string) => void,
): Promise<void> {
  if (checkpoint === undefined) return;
  const { head, report } = await loadNetwork(checkpoint, architecture, { classes });
  for (const note of report.notes) say(note);
  if (!head) say(`${name}: its head is drawn anew: ${checkpoint} has none for ${classes} classes`);
  const [here, there] = [imageInputOf(architecture).preprocessing, report.preprocessing!].map(normalisationText);
  if (here !== there) say(`${name}: ${checkpoint} was trained on images of ${there}; here they have ${here}`);
}
