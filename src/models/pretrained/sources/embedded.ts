/** The pretrained anchors that are part of this package. */
import path from 'node:path';
import { RequestError } from '../../../shared/errors.js';
import { exists } from '../../../shared/files.js';
import { programFolder } from '../../../shared/program.js';
import { architectureNames } from '../../architectures.js';

/** Inside the package; the weights are data, so that they lie in src even for the compiled program in dist. */
const folder = path.join('src', 'models', 'embedded');

/** The file of an embedded network; a RequestError says which there are. `root` is the folder of the package. */
export async function embeddedFile(architecture: string, root?: string): Promise<string> {
  const inPackage = path.join(root ?? (await programFolder()), folder);
  const present: string[] = [];
  for (const name of architectureNames) {
    const file = path.join(inPackage, `${name}.safetensors`);
    if (!(await exists(file))) continue;
    if (name === architecture) return file;
    present.push(name);
  }
  throw new RequestError(
    `no embedded weights for ${architecture} in ${inPackage}`,
    present.length > 0
      ? `Embedded are ${present.join(', ')}. Other weights: hf-hub:OWNER/NAME, or the path of a file.`
      : 'The installation is incomplete: install the package again.',
  );
}
