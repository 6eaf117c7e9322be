/** The families of networks that this project knows. */
import type { Architecture } from './architecture.js';
import { convNeXt } from './convnext/family.js';
import type { Family, ImageFamily } from './family.js';
import { llama } from './llama/family.js';
import { viT } from './vit/family.js';

export const imageFamilies: readonly ImageFamily[] = [viT, convNeXt];

export const families: readonly Family[] = [...imageFamilies, llama];

/** Throws an Error for an architecture of another family. */
export function imageFamilyOf({ family }: Pick<Architecture, 'family'>): ImageFamily {
  const found = imageFamilies.find(({ name }) => name === family);
  if (!found) throw new Error(`no family of networks for images is named ${family}`);
  return found;
}
