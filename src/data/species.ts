/**
 * The drawn data set: beetles of invented species, a fine-grained task that needs no download. Species differ in build
 * and pattern; pose, size, colours, light and ground vary within each. See species/traits.ts for the species.
 */
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../shared/errors.js';
import { exists } from '../shared/files.js';
import { isShortMarkGone, shortMark } from '../shared/processes/process-mark.js';
import { Random } from '../shared/random.js';
import { forEachLimited } from './batches/concurrency.js';
import type { Dataset, SpeciesSource } from './dataset.js';
import { readImageFolder } from './image-folder.js';
import { drawSpecies } from './species/drawing.js';
import { maximumSpecies, type Species, speciesFrom, speciesName } from './species/traits.js';
import { explainStorageError } from './storage-errors.js';

/** To be raised with every change of the drawings, so that nobody gets old ones from a cache. */
const drawingVersion = 2;

export interface SpeciesOptions {
  /** side of the images in pixels, default 64 */
  readonly imageSize?: number;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Draws the images as PNG into a folder of `cacheFolder` that is named by all parameters, or finds them there.
 * An image depends on the seed, its species, split and number alone, not on how many others are drawn.
 */
export async function openSpecies(
  source: SpeciesSource,
  cacheFolder: string,
  { imageSize = 64, onProgress }: SpeciesOptions = {},
): Promise<Dataset> {
  const { name, classes, first = 0, seed } = source;
  const all = speciesOf(source);
  const counts = countsOf(source);
  const sizes = `${counts.train}+${counts.val}+${counts.test}`;
  const which = first === 0 ? '' : `from${first}-`;
  const drawing = `species-v${drawingVersion}-${which}${classes}x${sizes}-${imageSize}px-seed${seed}`;
  const folder = path.join(cacheFolder, drawing);
  if (!(await exists(folder))) {
    await writeWhole(folder, (temporary) => drawAll(temporary, all, counts, imageSize, seed, onProgress));
  }
  const dataset = await readImageFolder({ name, root: folder });
  checkComplete(dataset, counts, folder);
  return dataset;
}

/**
 * The data set without drawing it: the images that it will have, by paths below the folder that it will get.
 * @throws RequestError for more species than there are
 */
export function listSpecies(source: SpeciesSource): Dataset {
  const classes = speciesOf(source)
    .map((species) => folderName(speciesName(species)))
    .sort(); // as folders are read
  const samplesOf = (split: Split) =>
    classes.flatMap((name, label) =>
      Array.from({ length: countsOf(source)[split] }, (_, index) => ({
        file: path.join(split, name, fileName(index)),
        label,
      })),
    );
  const splits = { train: samplesOf('train'), val: samplesOf('val'), test: samplesOf('test') };
  return { name: source.name, classes, splits };
}

/** @throws RequestError for more species than there are */
function speciesOf({ classes, first = 0 }: SpeciesSource): Species[] {
  if (classes >= 2 && first + classes <= maximumSpecies) return speciesFrom(first, classes);
  const from = first === 0 ? '' : ` from number ${first} on`;
  throw new RequestError(
    `${classes} species${from} are asked for; allowed are 2 to ${maximumSpecies - first}`,
    `Set data.classes ${first === 0 ? '' : 'or data.first '}accordingly: there are ${maximumSpecies}.`,
  );
}

type Split = 'train' | 'val' | 'test';
type Counts = Readonly<Record<Split, number>>;

function countsOf(source: SpeciesSource): Counts {
  return { train: source.train_images, val: source.validation_images, test: source.test_images };
}

const folderName = (species: string) => species.replace(' ', '-');
const fileName = (index: number) => `${String(index).padStart(4, '0')}.png`;

async function drawAll(
  folder: string,
  all: readonly Species[],
  counts: Counts,
  imageSize: number,
  seed: number,
  onProgress: SpeciesOptions['onProgress'],
): Promise<void> {
  const images = all.flatMap((species) =>
    Object.entries(counts).flatMap(([split, count]) =>
      Array.from({ length: count }, (_, index) => ({ species, split, index })),
    ),
  );
  const folderOf = (split: string, name: string) => path.join(folder, split, folderName(name));
  for (const species of all) {
    for (const split of Object.keys(counts)) await mkdir(folderOf(split, speciesName(species)), { recursive: true });
  }
  const { default: sharp } = await import('sharp'); // which a run that finds the images drawn does not load
  await forEachLimited(images, async ({ species, split, index }, done) => {
    const name = speciesName(species);
    const svg = drawSpecies(species, imageSize, Random.of(seed, 'species', name, split, index));
    const file = path.join(folderOf(split, name), fileName(index));
    await writeFile(file, await sharp(Buffer.from(svg)).removeAlpha().png({ compressionLevel: 6 }).toBuffer());
    onProgress?.(done, images.length);
  });
}

/** Lets `write` fill a temporary folder beside `folder`, then renames it: the final name stands for a complete set. */
async function writeWhole(folder: string, write: (temporary: string) => Promise<void>): Promise<void> {
  let temporary: string | undefined;
  try {
    await mkdir(path.dirname(folder), { recursive: true });
    await sweepKilled(path.dirname(folder));
    temporary = await mkdtemp(`${folder}.tmp-${shortMark()}-`);
    await write(temporary);
    await rename(temporary, folder).catch(async (error: unknown) => {
      // another process that drew the same images was faster
      if (!(await exists(folder))) throw error;
    });
  } catch (error) {
    const elsewhere = 'Drawn images lie in the cache of the user: XDG_CACHE_HOME=DIR puts it elsewhere.';
    throw explainStorageError(error, path.dirname(folder), elsewhere);
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

/** Removes what drawings that were killed have left in the cache. */
async function sweepKilled(cacheFolder: string): Promise<void> {
  for (const name of await readdir(cacheFolder)) {
    const mark = /^species-.*\.tmp-(\d+-[0-9a-f]{8})-\w+$/.exec(name)?.[1];
    if (mark !== undefined && isShortMarkGone(mark)) {
      await rm(path.join(cacheFolder, name), { recursive: true, force: true });
    }
  }
}

function checkComplete({ classes, splits: { train, val = [], test } }: Dataset, counts: Counts, folder: string): void {
  const found = [train, val, test].map((samples) => samples.length).join(', ');
  const expected = [counts.train, counts.val, counts.test].map((count) => count * classes.length).join(', ');
  if (found === expected) return;
  throw new RequestError(
    `${folder} holds ${found} images for training, validation and test; ${expected} were drawn`,
    'Delete this folder; the next run draws it again.',
  );
}
