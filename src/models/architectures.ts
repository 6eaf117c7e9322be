/** Every architecture this project knows by name, as data: networks that read images. */
import { nearest, RequestError } from '../shared/errors.js';
import type { Architecture } from './architecture.js';
import { imageFamilies } from './families.js';

export const architectureNames: readonly string[] = imageFamilies.flatMap(({ architectures }) => architectures);

/** Of a name as timm has it: what stands before the tag that tells weights of one architecture apart. */
export function withoutTag(name: string): string {
  return name.replace(/\..*$/, '').replace(/_in2[12]k$/, '');
}

/**
 * @param name as timm has it; a tag after a dot is ignored
 * @param imageSize side of the square input in pixels, default the one it was pretrained with
 * @param key what the user sets the size with, for messages; default preprocessing.crop
 * @throws RequestError for an unknown name, or a size that the network cannot divide into patches
 */
export function architectureNamed(name: string, imageSize?: number, key?: string): Architecture {
  const base = withoutTag(name);
  const family = imageFamilies.find(({ architectures }) => architectures.includes(base));
  if (family) return family.architecture(base, imageSize, key);
  const near = nearest(base, architectureNames);
  throw new RequestError(
    `architecture ${JSON.stringify(name)} is not known${near ? `; did you mean ${near}?` : ''}`,
    `Known architectures: ${architectureNames.join(', ')}.`,
  );
}
