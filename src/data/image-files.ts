/** The image files of one class, in the order of torchvision's ImageFolder, and what is left out beside them. */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { groupBy } from '../shared/groups.js';
import { entriesOf } from './folder-entries.js';

/** torchvision's IMG_EXTENSIONS but .ppm and .pgm, which are named as left out. */
export const imageExtensions = ['.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp'] as const;

/** What is decoded where a file is named on its own: its content decides, not its name. Of a GIF the first frame. */
export const imageFormats = ['JPEG', 'PNG', 'WebP', 'GIF', 'TIFF', 'BMP'] as const;

/** Images of other formats: worth a word of their own, because a user who has them expects them to be read. */
const otherImages = ['.gif', '.ppm', '.pgm', '.jfif', '.heic', '.heif', '.avif', '.jxl', '.jp2', '.svg', '.dng'];

export const hiddenReason = 'hidden (the name begins with a dot)';

/** A file or folder that is not read, and why. */
export interface LeftOut {
  readonly file: string;
  readonly reason: string;
}

export interface ClassFiles {
  readonly images: readonly string[];
  /** Those of `images` that are links which lead nowhere. */
  readonly dangling: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * Walks a class folder with all folders below it, links included. The order is that of torchvision's `make_dataset`:
 * folders by their path, and the files of each by name.
 * @throws RequestError as `entriesOf`
 */
export async function filesOfClass(folder: string): Promise<ClassFiles> {
  const leftOut: LeftOut[] = [];
  const filesIn = new Map<string, readonly string[]>();
  const dangling: string[] = [];
  // `above` holds the folders on the way down: a link to one of them would be walked for ever
  const walk = async (at: string, above: readonly string[]): Promise<void> => {
    const way = [...above, await realpath(at)];
    const { folders, files, dangling: links, others } = await entriesOf(at);
    filesIn.set(at, files);
    dangling.push(...links.filter(isImageName).map((name) => path.join(at, name)));
    for (const name of others) leftOut.push({ file: path.join(at, name), reason: 'no regular file' });
    for (const name of folders) {
      const below = path.join(at, name);
      if (name.startsWith('.')) leftOut.push({ file: below, reason: hiddenReason });
      else if (way.includes(await realpath(below)))
        leftOut.push({ file: below, reason: 'a link to a folder above it' });
      else await walk(below, way);
    }
  };
  await walk(folder, []);
  const images: string[] = [];
  for (const at of [...filesIn.keys()].sort()) {
    for (const name of filesIn.get(at)!) {
      const file = path.join(at, name);
      const reason = whyLeftOut(name);
      if (reason === undefined) images.push(file);
      else leftOut.push({ file, reason });
    }
  }
  return { images, dangling, leftOut };
}

/** Whether a file of this name is read as an image. */
export function isImageName(name: string): boolean {
  return whyLeftOut(name) === undefined;
}

function whyLeftOut(name: string): string | undefined {
  if (name.startsWith('.')) return hiddenReason;
  const extension = path.extname(name).toLowerCase();
  if ((imageExtensions as readonly string[]).includes(extension)) return undefined;
  if (otherImages.includes(extension)) return `${extension} is not read, convert to PNG`;
  return `no image (${extension || 'no extension'})`;
}

/** One sentence for each reason, with a few names relative to `root`. */
export function sentencesOf(leftOut: readonly LeftOut[], root: string): string[] {
  return [...groupBy(leftOut, ({ reason }) => reason)].map(([reason, files]) => {
    const names = files.slice(0, 3).map(({ file }) => path.relative(root, file));
    return `${files.length} left out, ${reason}: ${names.join(', ')}${files.length > 3 ? ', ...' : ''}`;
  });
}
