/**
 * VTAB-1k: 19 tasks of 1000 training images, in the layout that NOAH publishes:
 * `<task>/{train800,val200,train800val200,test}.txt` with `images/<split>/<counter>.jpg <label>` lines, beside
 * images/.
 *
 * Models are selected on val200 after training on train800; the final training uses both, which are exactly the
 * images of train800val200 (in another order). The lists follow record orders of old TFDS versions, so they cannot be
 * rebuilt from raw data. Numbers of classes come from the table of tasks and never from the lists, which can miss classes
 * (sun397).
 */
import path from 'node:path';
import { type VtabTaskName, vtabTaskNames, vtabTasks, vtabTraining } from '../../../config/official-datasets.js';
import { RequestError } from '../../../shared/errors.js';
import { readImageList } from '../readers/text-table.js';
import type { LayoutReader, OfficialLabels, OfficialSpec } from './layout.js';
import { findFolderWith, requireFolderWith } from './source-folder.js';

/** Names used elsewhere for a task and its folder. */
const otherNames: Partial<Readonly<Record<VtabTaskName, readonly string[]>>> = {
  cifar: ['cifar100'],
  oxford_flowers102: ['flowers102'],
  oxford_iiit_pet: ['oxford_pet', 'pets'],
};

/** One specification per task, named `vtab-<task>`: `vtab-cifar` (1000 images) is not `cifar-100` (50000). */
export const vtabSpecs: readonly OfficialSpec[] = vtabTaskNames.map((task) => {
  const { group, classes, test } = vtabTasks[task];
  const others = otherNames[task] ?? [];
  return {
    name: `vtab-${task}`,
    aliases: others.map((name) => `vtab-${name}`),
    title: `VTAB-1k ${task} (${group})`,
    classes,
    counts: { ...vtabTraining, test },
    testCountVaries: true,
    archives: [{ file: 'vtab-1k.zip' }, { file: 'vtab-1k.tar.gz' }, { file: 'vtab-1k.tar' }],
    looseFiles: [],
    files: 'vtab-1k.zip, vtab-1k.tar.gz or vtab-1k.tar',
    where: 'link in the README of https://github.com/ZhangYuanhan-AI/NOAH (all 19 tasks in one archive)',
    size: 'several GB, all tasks',
    folder: 'vtab-1k',
    layout: vtabTask([task, ...others], classes),
  };
});

/** Reader of one task whose folder has one of these names. */
export function vtabTask(folderNames: readonly string[], classCount: number): LayoutReader {
  return { readLabels: (folder) => readLabels(folder, folderNames, classCount) };
}

async function readLabels(folder: string, folderNames: readonly string[], classCount: number): Promise<OfficialLabels> {
  const root = await taskFolder(folder, folderNames);
  const read = (list: string) => readImageList(path.join(root, list), root, classCount);
  const [train, val, both, test] = [
    await read('train800.txt'),
    await read('val200.txt'),
    await read('train800val200.txt'),
    await read('test.txt'),
  ];
  if (both.length !== train.length + val.length) {
    throw new RequestError(
      `${root}: train800val200.txt has ${both.length} images, train800.txt and val200.txt together ${train.length + val.length}`,
    );
  }
  const classIds = Array.from({ length: classCount }, (_, label) => label);
  return { classes: classIds.map((id) => `class ${id}`), classIds, train, val, test };
}

async function taskFolder(folder: string, folderNames: readonly string[]): Promise<string> {
  for (const name of folderNames) {
    const holder = await findFolderWith(folder, [name]);
    if (holder !== undefined) return requireTask(path.join(holder, name));
  }
  // The folder given may be the one of the task itself.
  if (folderNames.includes(path.basename(folder))) return requireTask(folder);
  throw new RequestError(
    `${folder} has no folder ${folderNames.join(' or ')}`,
    'Name the unpacked vtab-1k folder (data.root, or --from of esta data prepare); the lists cannot be rebuilt from the raw data sets.',
  );
}

function requireTask(folder: string): Promise<string> {
  return requireFolderWith(folder, ['train800.txt', 'val200.txt', 'train800val200.txt', 'test.txt'], 'VTAB-1k task');
}
