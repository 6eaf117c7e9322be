/**
 * CIFAR-100 in its binary and its Python version. Neither holds image files, so preparing it writes one PNG
 * (lossless) per image and lists in the format of VTAB-1k: `images/train/00000.png 19`.
 *
 * Records hold 1024 red, 1024 green and 1024 blue bytes, each plane 32 x 32 row-major; the binary version puts the
 * coarse and the fine label before them. The fine label is the one to learn.
 */
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, RequestError } from '../../../shared/errors.js';
import { writeAtomic } from '../../../shared/files.js';
import { forEachLimited } from '../../batches/concurrency.js';
import { type PickleDictionary, type PickleValue, parsePickle } from '../readers/pickle.js';
import { checkRange, readImageList, readLines } from '../readers/text-table.js';
import type { LayoutReader, OnActivity } from './layout.js';
import { findFolderWith, requireFolderWith } from './source-folder.js';

const side = 32;
const plane = side * side;
const pixelBytes = 3 * plane;
const recordBytes = 2 + pixelBytes;
const classCount = 100;
const pythonFiles = ['train', 'test', 'meta'];
const binaryFiles = ['train.bin', 'test.bin', 'fine_label_names.txt'];
const preparedFiles = ['train.txt', 'test.txt', 'classes.txt'];

/** Images of one part: `pixels` is [count, 3, 32, 32], `labels` fine labels. */
export interface CifarPart {
  readonly labels: readonly number[];
  readonly pixels: Uint8Array;
}

/** Reader of the image files that `convertCifar100` wrote. */
export const cifar100Layout: LayoutReader = {
  async readLabels(folder) {
    const root = await requireFolderWith(folder, preparedFiles, 'prepared CIFAR-100');
    const classes = await readLines(path.join(root, 'classes.txt'));
    const [train, test] = [
      await readImageList(path.join(root, 'train.txt'), root, classes.length),
      await readImageList(path.join(root, 'test.txt'), root, classes.length),
    ];
    return { classes, classIds: classes.map((_, label) => label), train, test };
  },
};

/** Writes the image files and lists below `target`; images already there are kept, lists are written last. */
export async function convertCifar100(source: string, target: string, progress: OnActivity): Promise<void> {
  if ((await findFolderWith(target, preparedFiles, 0)) !== undefined) return;
  const { train, test, classes } = await readCifar100(source);
  for (const [split, part] of Object.entries({ train, test })) {
    await writeImages(path.join(target, 'images', split), part, (done) =>
      progress(`writing ${split} images`, done, part.labels.length),
    );
    const lines = part.labels.map((label, index) => `images/${split}/${imageName(index)} ${label}\n`);
    await writeAtomic(path.join(target, `${split}.txt`), lines.join(''));
  }
  await writeAtomic(path.join(target, 'classes.txt'), `${classes.join('\n')}\n`);
}

/** Reads whichever version is below `folder`. */
export async function readCifar100(
  folder: string,
): Promise<{ train: CifarPart; test: CifarPart; classes: readonly string[] }> {
  const binary = await findFolderWith(folder, binaryFiles);
  if (binary !== undefined) {
    return {
      train: await readBinary(path.join(binary, 'train.bin')),
      test: await readBinary(path.join(binary, 'test.bin')),
      classes: await readLines(path.join(binary, 'fine_label_names.txt')),
    };
  }
  const python = await findFolderWith(folder, pythonFiles);
  if (python === undefined) {
    throw new RequestError(
      `${folder} is not a CIFAR-100 folder: neither ${binaryFiles.join(', ')} nor ${pythonFiles.join(', ')} found`,
      'Name cifar-100-python.tar.gz or cifar-100-binary.tar.gz, or the unpacked folder, with --from.',
    );
  }
  return {
    train: await readPython(path.join(python, 'train')),
    test: await readPython(path.join(python, 'test')),
    classes: await readNames(path.join(python, 'meta')),
  };
}

async function readBinary(file: string): Promise<CifarPart> {
  const bytes = await readFile(file);
  if (bytes.length === 0 || bytes.length % recordBytes !== 0) {
    throw new RequestError(
      `${file} has ${bytes.length} bytes, expected a multiple of ${recordBytes}: it is truncated or no CIFAR-100 file`,
      'Download the archive again.',
    );
  }
  const count = bytes.length / recordBytes;
  const pixels = new Uint8Array(count * pixelBytes);
  const labels = Array.from({ length: count }, (_, index) => {
    const start = index * recordBytes;
    pixels.set(bytes.subarray(start + 2, start + recordBytes), index * pixelBytes);
    return bytes[start + 1]!;
  });
  return checked({ labels, pixels }, file);
}

async function readPython(file: string): Promise<CifarPart> {
  const dictionary = await readDictionary(file);
  const data = dictionary.get('data');
  const labels = dictionary.get('fine_labels');
  if (!isArray(data) || data.shape[1] !== pixelBytes || data.shape.length !== 2) {
    throw new RequestError(`${file}: 'data' is not an array of N x ${pixelBytes} bytes`);
  }
  if (!Array.isArray(labels) || labels.length !== data.shape[0]) {
    throw new RequestError(`${file}: 'fine_labels' is not a list of ${data.shape[0]} labels`);
  }
  return checked({ labels: labels.map(Number), pixels: data.data }, file);
}

async function readNames(file: string): Promise<string[]> {
  const names = (await readDictionary(file)).get('fine_label_names');
  if (!Array.isArray(names)) throw new RequestError(`${file} has no 'fine_label_names'`);
  return names.map((name) => (name instanceof Uint8Array ? Buffer.from(name).toString('latin1') : String(name)));
}

async function readDictionary(file: string): Promise<PickleDictionary> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new RequestError(`${file} cannot be read: ${messageOf(error)}`);
  });
  const value = parsePickle(bytes, file);
  if (!(value instanceof Map)) throw new RequestError(`${file} is a pickle, but not of a dictionary`);
  return value;
}

function isArray(value: PickleValue | undefined): value is { shape: readonly number[]; data: Uint8Array } {
  return typeof value === 'object' && value !== null && 'shape' in value;
}

function checked(part: CifarPart, file: string): CifarPart {
  for (const [index, label] of part.labels.entries()) {
    checkRange(label, 0, classCount - 1, `${file}, fine label of image ${index}`);
  }
  return part;
}

async function writeImages(folder: string, part: CifarPart, progress: (done: number) => void): Promise<void> {
  await mkdir(folder, { recursive: true });
  const present = new Set(await readdir(folder));
  const indices = part.labels.map((_, index) => index);
  const { default: sharp } = await import('sharp');
  await forEachLimited(indices, async (index, done) => {
    const file = path.join(folder, imageName(index));
    if (!present.has(imageName(index))) {
      // Renamed when complete; not flushed one by one, which would take minutes for 60000 small files.
      await sharp(interleaved(part.pixels, index), { raw: { width: side, height: side, channels: 3 } })
        .png()
        .toFile(`${file}.tmp`);
      await rename(`${file}.tmp`, file);
    }
    progress(done);
  });
}

/** [3, 32, 32] planes of one image to [32, 32, 3]. */
function interleaved(pixels: Uint8Array, index: number): Uint8Array {
  const start = index * pixelBytes;
  return Uint8Array.from({ length: pixelBytes }, (_, at) => pixels[start + (at % 3) * plane + Math.floor(at / 3)]!);
}

function imageName(index: number): string {
  return `${String(index).padStart(5, '0')}.png`;
}
