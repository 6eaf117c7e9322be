/** Reader of image folders, `<root>/{train,val,test}/<class>/*.{jpg,jpeg,png,webp}`, as torchvision's ImageFolder. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../shared/errors.js';
import type { Dataset, ImageFolderSource, Sample } from './dataset.js';

const extensions = ['.jpg', '.jpeg', '.png', '.webp'];

/**
 * Lists the images; classes are the folders of `train/` in code-unit order, files are sorted likewise. Where only one
 * of `val/` and `test/` exists it is the test split: what results are reported on must not choose anything.
 * @throws RequestError for a missing folder, a class without images, and classes that differ between splits
 */
export async function readImageFolder({ name, root }: Omit<ImageFolderSource, 'kind'>): Promise<Dataset> {
  const present = await subfolders(root);
  if (!present.includes('train') || !(present.includes('val') || present.includes('test'))) {
    throw new RequestError(
      `${root} holds the folders ${listed(present)}; expected train/ and test/ (or val/), with one folder per class in each`,
      'Point data.root to the folder that contains train/, or arrange the images as train/<class>/<image>.jpg.',
    );
  }
  const classes = await subfolders(path.join(root, 'train'));
  if (classes.length === 0) {
    throw new RequestError(
      `${path.join(root, 'train')} holds no class folders`,
      'Put the training images of each class into a folder of its own: train/<class>/<image>.jpg.',
    );
  }
  const read = (split: string) => readSplit(path.join(root, split), classes);
  const train = await read('train');
  if (!present.includes('test')) return { name, classes, splits: { train, test: await read('val') } };
  if (!present.includes('val')) return { name, classes, splits: { train, test: await read('test') } };
  return { name, classes, splits: { train, val: await read('val'), test: await read('test') } };
}

async function readSplit(folder: string, classes: readonly string[]): Promise<Sample[]> {
  checkClasses(folder, await subfolders(folder), classes);
  const samples: Sample[] = [];
  for (const [label, name] of classes.entries()) {
    const files = await imageFiles(path.join(folder, name));
    samples.push(...files.map((file) => ({ file, label })));
  }
  return samples;
}

function checkClasses(folder: string, found: readonly string[], classes: readonly string[]): void {
  const unknown = found.filter((name) => !classes.includes(name));
  const missing = classes.filter((name) => !found.includes(name));
  if (unknown.length === 0 && missing.length === 0) return;
  const problems = [
    ...(unknown.length > 0 ? [`has the classes ${listed(unknown)} that train/ lacks`] : []),
    ...(missing.length > 0 ? [`lacks the classes ${listed(missing)} of train/`] : []),
  ];
  throw new RequestError(
    `${folder} ${problems.join(' and ')}; every split must hold the same ${classes.length} class folders`,
    'Rename, add or remove class folders so that they agree.',
  );
}

async function imageFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const images = names.filter((name) => !name.startsWith('.') && extensions.includes(path.extname(name).toLowerCase()));
  if (images.length === 0) {
    throw new RequestError(
      `class folder ${folder} holds no images (${names.length} other files); expected ${extensions.join(', ')}`,
      'Add images to it, or remove the class folder from every split.',
    );
  }
  return images.sort().map((name) => path.join(folder, name));
}

/** Names of the folders (and links to folders) inside `folder`, sorted; names that begin with a dot are skipped. */
async function subfolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'does not exist' : `cannot be listed (${error.code})`;
    throw new RequestError(`data folder ${folder} ${reason}`, 'Set data.root to the folder that contains train/.');
  });
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const target = entry.isSymbolicLink() ? await stat(path.join(folder, entry.name)).catch(() => undefined) : entry;
    if (target?.isDirectory()) names.push(entry.name);
  }
  return names.sort();
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return '(none)';
  const shown = names.slice(0, 8).map((name) => `'${name}'`);
  return names.length > 8 ? `${shown.join(', ')} and ${names.length - 8} more` : shown.join(', ');
}
