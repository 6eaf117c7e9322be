/** How many classes the data sets of an experiment have; only a folder of images must be there to tell. */
import { type DatasetConfig, isTextDataset } from '../config/schema/dataset.js';
import { readImageFolder } from '../data/image-folder.js';
import { findOfficial } from '../data/official/registry.js';

/** @throws RequestError when the folder of images is not there */
export async function classCountOf(dataset: DatasetConfig): Promise<number> {
  if (isTextDataset(dataset)) return 0; // a language model keeps its head
  switch (dataset.kind) {
    case 'species':
      return dataset.classes;
    case 'image-folder':
      return (await readImageFolder(dataset)).classes.length;
    case 'vtab-1k':
      return findOfficial(`vtab-${dataset.task}`)[0]!.classes;
    default:
      return findOfficial(dataset.kind)[0]!.classes;
  }
}
