/** The pretrained anchors that are part of this package. */
import path from 'node:path';
import { RequestError } from '../../../shared/errors.js';
import { exists } from '../../../shared/files.js';
import { programFolder } from '../../../shared/program.js';
import { architectureNames, withoutTag } from '../../architectures.js';
import { llamaNames } from '../../llama/variants.js';
import { singleFile } from './weight-files.js';

/** Inside the package; the weights are data, so that they lie in src even for the compiled program in dist. */
const folder = path.join('src', 'models', 'embedded');

/** The file of an embedded network, whose tag is ignored; a RequestError says which there are. `root` is the folder of the package. */
export async function embeddedFile(architecture: string, root?: string): Promise<string> {
  const inPackage = path.join(root ?? (await programFolder()), folder);
  const present: string[] = [];
  for (const name of [...architectureNames, ...llamaNames]) {
    // A language model is a folder, with its tokenizer.
    const file = path.join(inPackage, llamaNames.includes(name) ? path.join(name, singleFile) : `${name}.safetensors`);
    if (!(await exists(file))) continue;
    if (name === withoutTag(architecture)) return file;
    present.push(name);
  }
  throw new RequestError(
    `no embedded weights for ${architecture} in ${inPackage}`,
    present.length > 0
      ? `Embedded are ${present.join(', ')}. Other weights: hf-hub:OWNER/NAME, or the path of a file.`
      : 'The installation is incomplete: install the package again.',
  );
}

/** The folder of a language model, in the layout of Hugging Face. @throws RequestError where it is not embedded */
export async function languageModelFolder(checkpoint: string, architecture: string): Promise<string> {
  return checkpoint === 'embedded' ? path.dirname(await embeddedFile(architecture)) : checkpoint;
}
