/** The families of networks that this project knows. */
import type { Architecture } from './architecture.js';
import { convNeXt } from './convnext/family.js';
import type { Family } from './family.js';
import { viT } from './vit/family.js';

export const families: readonly Family[] = [viT, convNeXt];

/** Throws an Error for an architecture of a family that is not in the list. */
export function familyOf({ family }: Pick<Architecture, 'family'>): Family {
  const found = families.find(({ name }) => name === family);
  if (!found) throw new Error(`no family is named ${family}`);
  return found;
}
