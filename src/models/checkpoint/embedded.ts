/** The pretrained anchors that are part of this package. */
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { RequestError } from '../../shared/errors.js';
import { variantNames } from '../variants.js';

/** Inside the package; the weights are data, so that they lie in src even for the compiled program in dist. */
const folder = path.join('src', 'models', 'embedded');

/** The file of an embedded network; a RequestError says which there are. `root` is the folder of the package. */
export async function embeddedFile(architecture: string, root?: string): Promise<string> {
  const inPackage = path.join(root ?? (await packageRoot()), folder);
  const present: string[] = [];
  for (const name of variantNames) {
    const file = path.join(inPackage, `${name}.safetensors`);
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists && name === architecture) return file;
    if (exists) present.push(name);
  }
  throw new RequestError(
    `no embedded weights for ${architecture} in ${inPackage}`,
    present.length > 0
      ? `Embedded are ${present.join(', ')}. Other weights: hf-hub:OWNER/NAME, or the path of a file.`
      : 'The installation is incomplete: install the package again.',
  );
}

/** Climbs from this module, in src or in dist, to the package.json of esta. */
async function packageRoot(): Promise<string> {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const content = await readFile(path.join(folder, 'package.json'), 'utf8').catch(() => '{}');
    if ((JSON.parse(content) as { name?: string }).name === 'esta') return folder;
    const above = path.dirname(folder);
    if (above === folder) throw new Error('the package.json of esta was not found above its modules');
    folder = above;
  }
}
