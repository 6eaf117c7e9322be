/** What a person would have downloaded: archives and loose files, as contents by path. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import * as tar from 'tar';

/** Contents by path inside an archive or folder. */
export type FileTree = Map<string, Uint8Array | string>;

export interface Download {
  /** by archive name (.tar, .tgz, .tar.gz) */
  readonly archives: Map<string, FileTree>;
  readonly loose: FileTree;
}

/** Writes the archives and loose files into `folder`; returns their paths. */
export async function writeDownload(download: Download, folder: string): Promise<string[]> {
  const work = path.join(folder, '.packing');
  for (const [name, tree] of download.archives) {
    await writeTree(tree, work);
    const topLevel = [...new Set([...tree.keys()].map((file) => file.split('/')[0]!))];
    await tar.create({ file: path.join(folder, name), cwd: work, gzip: !name.endsWith('.tar') }, topLevel);
    await rm(work, { recursive: true });
  }
  await writeTree(download.loose, folder);
  return [...download.archives.keys(), ...download.loose.keys()].map((name) => path.join(folder, name));
}

/** Writes all contents as they lie after unpacking everything into `folder`. */
export async function writeUnpacked(download: Download, folder: string): Promise<void> {
  for (const tree of [...download.archives.values(), download.loose]) await writeTree(tree, folder);
}

async function writeTree(tree: FileTree, folder: string): Promise<void> {
  for (const [name, content] of tree) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

/**
 * A drawn JPEG of 64 x 48: a disc in the colour of the class, at a place that depends on `index`, so no two are
 * equal.
 */
export async function drawnJpeg(label: number, index: number): Promise<Buffer> {
  const [x, y] = [8 + ((index * 7) % 48), 8 + ((index * 11) % 32)];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48">
    <rect width="64" height="48" fill="hsl(${(index * 23) % 360}, 20%, 80%)"/>
    <circle cx="${x}" cy="${y}" r="8" fill="hsl(${(label * 97) % 360}, 80%, 40%)"/></svg>`;
  return sharp(Buffer.from(svg)).jpeg().toBuffer();
}
