/**
 * Reader of image folders, `<root>/{train,val,test}/<class>/**`, as torchvision's ImageFolder: the same classes and the
 * same images in the same order. What it leaves out is told in the notes of the data set.
 */
import path from 'node:path';
import { RequestError } from '../shared/errors.js';
import type { Dataset, Sample } from './dataset.js';
import { entriesOf } from './folder-entries.js';
import { filesOfClass, hiddenReason, imageExtensions, isImageName, type LeftOut, sentencesOf } from './image-files.js';

/** Names that the validation split goes by. */
const validationNames = ['val', 'validation', 'valid'];

/** A data set that tells what was left out. */
export interface ImageFolder extends Dataset {
  readonly notes: readonly string[];
  /** Name of the folder whose images the test split is. */
  readonly testFolder: string;
}

interface ImageFolderSource {
  readonly name: string;
  /** Holds `{train,val,test}/<class>/`. */
  readonly root: string;
}

/**
 * Lists the images; classes are the folders of `train/` in code-unit order. Where only one of `val/` (also called
 * `validation/` or `valid/`) and `test/` exists it is the test split: what results are reported on must not choose
 * anything. The other splits may lack classes, which a note names.
 * @throws RequestError for a missing folder, fewer than two classes, a class folder without images, classes that `train/`
 * lacks, and images that are links to nothing
 */
export async function readImageFolder({ name, root }: ImageFolderSource): Promise<ImageFolder> {
  const { train: trainFolder, val: valFolder, test: testFolder, leftOut } = await splitFolders(root);
  const classes = await classesOf(trainFolder);
  const notes: string[] = [];
  const dangling: string[] = [];
  const read = async (folder: string) => {
    const split = await readSplit(folder, classes, root);
    leftOut.push(...split.leftOut);
    dangling.push(...split.dangling);
    if (split.without.length > 0) notes.push(noteOn(path.basename(folder), split.without, classes));
    return split.samples;
  };
  const train = await read(trainFolder);
  const val = valFolder && testFolder ? await read(valFolder) : undefined;
  const test = await read(testFolder ?? valFolder!);
  if (dangling.length > 0) throw leadingNowhere(dangling);
  return {
    name,
    classes,
    splits: { train, ...(val && { val }), test },
    notes: [...notes, ...sentencesOf(leftOut, root)],
    testFolder: path.basename(testFolder ?? valFolder!),
  };
}

async function splitFolders(root: string) {
  const { folders } = await entriesOf(root);
  const present = folders.filter((name) => !name.startsWith('.'));
  const validation = validationNames.filter((name) => present.includes(name));
  if (validation.length > 1) {
    throw new RequestError(
      `${root} holds the folders ${listed(validation)}; expected one folder of validation images`,
      'Merge them, or move those away that are not to be used.',
    );
  }
  const inRoot = (split: string | undefined) => split && present.includes(split) && path.join(root, split);
  const [train, val, test] = [inRoot('train'), inRoot(validation[0]), inRoot('test')];
  if (!train || !(val || test)) {
    throw new RequestError(
      `${root} holds the folders ${listed(present)}; expected train/ and test/ (or val/), with one folder per class in each`,
      train
        ? 'Put the images that accuracy is reported of into test/ (or val/), as test/<class>/<image>.jpg.'
        : 'Point data.root to the folder that contains train/, or arrange the images as train/<class>/<image>.jpg.',
    );
  }
  const used = ['train', ...validation, 'test'];
  const leftOut: LeftOut[] = present
    .filter((each) => !used.includes(each))
    .map((each) => ({ file: path.join(root, each, path.sep), reason: 'a folder that is no split' }));
  return { train, ...(val && { val }), ...(test && { test }), leftOut };
}

/** The class folders of `train/`; telling classes apart takes two. */
async function classesOf(train: string): Promise<string[]> {
  const { folders, files } = await entriesOf(train);
  const classes = folders.filter((name) => !name.startsWith('.'));
  const loose = files.filter(isImageName).length;
  const beside = loose > 0 ? ` and ${loose} images beside them, which belong to no class` : '';
  if (classes.length < 2) {
    throw new RequestError(
      `${train} holds ${classes.length === 0 ? 'no class folders' : `one class folder, ${listed(classes)}`}${beside}; ` +
        'at least 2 classes are needed',
      'Put the training images of each class into a folder of its own: train/<class>/<image>.jpg.',
    );
  }
  const alike = lookalikes(classes);
  if (alike) {
    throw new RequestError(
      `${train} holds two class folders that look alike: ${spelled(alike[0])} and ${spelled(alike[1])}`,
      'Unicode writes some letters in two ways, and macOS and Linux differ. Merge the two folders, or rename one.',
    );
  }
  return classes;
}

async function readSplit(folder: string, classes: readonly string[], root: string) {
  const { folders, files } = await entriesOf(folder);
  const found = folders.filter((name) => !name.startsWith('.'));
  const without = missingClasses(folder, found, classes);
  const hidden = folders.filter((name) => !found.includes(name));
  const leftOut: LeftOut[] = [
    ...hidden.map((name) => ({ file: path.join(folder, name, path.sep), reason: hiddenReason })),
    ...files.filter(isImageName).map((file) => ({ file: path.join(folder, file), reason: 'in no class folder' })),
  ];
  const samples: Sample[] = [];
  const dangling: string[] = [];
  for (const [label, name] of classes.entries()) {
    if (without.includes(name)) continue;
    const listing = await filesOfClass(path.join(folder, name));
    if (listing.images.length === 0) throw noImages(path.join(folder, name), listing.leftOut, root);
    for (const file of listing.images) samples.push({ file, label });
    for (const each of listing.leftOut) leftOut.push(each);
    dangling.push(...listing.dangling);
  }
  return { samples, dangling, leftOut, without };
}

/** As git-annex and DVC leave of what they have not fetched, and disks of a cluster that were cleaned. */
function leadingNowhere(links: readonly string[]): RequestError {
  const [first] = links;
  return new RequestError(
    links.length === 1
      ? `image ${first} is a link that leads nowhere`
      : `${links.length} images are links that lead nowhere, such as ${first}`,
    'Fetch or restore what they lead to, or remove the links.',
  );
}

function noImages(folder: string, leftOut: readonly LeftOut[], root: string): RequestError {
  const found = leftOut.length === 0 ? 'it is empty' : sentencesOf(leftOut, root).join('; ');
  return new RequestError(
    `class folder ${folder} holds no images (${found}); expected ${imageExtensions.join(', ')}`,
    'Add images to it, or remove the class folder: from train/, and so from every split, or from the other splits alone.',
  );
}

/** Classes without a folder in a split. @throws RequestError for folders that are no class */
function missingClasses(folder: string, found: readonly string[], classes: readonly string[]): string[] {
  const unknown = found.filter((name) => !classes.includes(name));
  const missing = classes.filter((name) => !found.includes(name));
  for (const name of unknown) {
    const twin = missing.find((other) => other.normalize() === name.normalize());
    if (twin === undefined) continue;
    throw new RequestError(
      `${folder} has the class ${spelled(name)}, train/ has ${spelled(twin)}: they look alike, but are spelled differently`,
      'Unicode writes some letters in two ways, and macOS and Linux differ. Rename one; convmv -r -f utf8 -t utf8 --nfc --notest FOLDER renames all.',
    );
  }
  if (unknown.length > 0) {
    const lacks = missing.length > 0 ? ` and lacks the classes ${listed(missing)} that train/ has` : '';
    throw new RequestError(
      `${folder} has the classes ${listed(unknown)} that train/ lacks${lacks}; classes are the ${classes.length} folders of train/`,
      'Rename or remove class folders, so that no other split has one that train/ lacks.',
    );
  }
  if (missing.length === classes.length) {
    throw new RequestError(
      `${folder} holds no class folders`,
      'Put the images of each class into a folder of its own.',
    );
  }
  return missing;
}

/** What is measured on such a split says nothing about these classes: whoever reads the numbers should know. */
function noteOn(split: string, without: readonly string[], classes: readonly string[]): string {
  return `${split}/ has no image of ${without.length} of ${classes.length} classes: ${listed(without)}`;
}

/** Two names that Unicode holds to be the same text; undefined when there are none. */
function lookalikes(names: readonly string[]): [string, string] | undefined {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.normalize());
    if (other !== undefined) return [other, name];
    seen.set(name.normalize(), name);
  }
  return undefined;
}

/** A name with its letters beyond ASCII as code points: 'café' (caf\u00e9). */
function spelled(name: string): string {
  const codes = name.replace(/[^ -~]/gu, (letter) => `\\u{${letter.codePointAt(0)!.toString(16)}}`);
  return `'${name}' (${codes})`;
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return '(none)';
  const shown = names.slice(0, 8).map((name) => `'${name}'`);
  return names.length > 8 ? `${shown.join(', ')} and ${names.length - 8} more` : shown.join(', ');
}
