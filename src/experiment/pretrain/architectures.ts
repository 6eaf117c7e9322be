/** The networks of a pretraining, and whether they can be trained as it asks. */
import type { ImagePretraining } from '../../config/schema/pretraining.js';
import { type Architecture, imageInputOf } from '../../models/architecture.js';
import { architectureNamed } from '../../models/architectures.js';
import { RequestError } from '../../shared/errors.js';
import { checkFamily, checkPatchDropout } from '../space.js';

/**
 * In the order of the anchors.
 * @throws RequestError for networks that are not known, are of several families, or cannot be trained so
 */
export function architecturesOf({ anchors, data, training }: ImagePretraining): Architecture[] {
  const architectures = anchors.map(({ architecture }) =>
    architectureNamed(architecture, data.image_size, 'data.image_size'),
  );
  checkFamily(anchors, architectures);
  checkPatches({ training }, architectures);
  return architectures;
}

/**
 * @param architectures of the anchors, in their order
 * @throws RequestError as `checkPatchDropout`, and where anchors that learn from the same patches have different numbers of them
 */
export function checkPatches(
  { training: { patch_dropout: rate, together } }: Pick<ImagePretraining, 'training'>,
  architectures: readonly Architecture[],
): void {
  checkPatchDropout(rate, architectures);
  if (rate === 0) return;
  const counts = architectures.map((architecture) => ({
    name: architecture.name,
    patches: imageInputOf(architecture).patches!,
  }));
  if (!together || counts.every(({ patches }) => patches === counts[0]!.patches)) return;
  const received = counts.map(({ name, patches }) => `${name}: ${patches}`).join(', ');
  throw new RequestError(
    `training.patch_dropout: expected 0 for anchors with different numbers of patches that learn together, received ${rate} (${received})`,
    'They see the same patches: choose architectures of one patch size, or leave out training.together.',
  );
}
