/**
 * Stanford Dogs: Images/<wordnet id>-<breed>/*.jpg, and train_list.mat and test_list.mat with `file_list` (paths
 * below Images/) and `labels` (1 to 120). Mind the capital I. Some copies keep the lists in a folder lists/ or
 * splits/.
 */
import path from 'node:path';
import { officialDatasets } from '../../../config/official-datasets.js';
import { RequestError } from '../../../shared/errors.js';
import type { Sample } from '../../dataset.js';
import { readMatlab } from '../readers/matlab.js';
import { numbersOf, textsOf } from '../readers/matlab-values.js';
import { checkRange } from '../readers/text-table.js';
import type { LayoutReader, OfficialLabels } from './layout.js';
import { requireFolderWith } from './source-folder.js';

const { title } = officialDatasets['stanford-dogs'];

/** Reader for `classCount` classes (120; fewer only in miniatures). */
export function stanfordDogs(classCount: number): LayoutReader {
  return {
    readLabels: (folder) => readLabels(folder, classCount),
    async vptPaths(folder) {
      const images = path.join(await requireFolderWith(folder, ['Images'], title), 'Images');
      return (key) => path.join(images, key);
    },
  };
}

async function readLabels(folder: string, classCount: number): Promise<OfficialLabels> {
  const lists = await requireFolderWith(folder, ['train_list.mat', 'test_list.mat'], title);
  const images = path.join(await requireFolderWith(folder, ['Images'], title), 'Images');
  const folderOf = new Map<number, string>();

  const read = async (name: string): Promise<Sample[]> => {
    const matlab = await readMatlab(path.join(lists, name));
    const files = textsOf(matlab, 'file_list');
    const labels = numbersOf(matlab, 'labels');
    if (files.length !== labels.length) {
      throw new RequestError(`${matlab.file} lists ${files.length} files but ${labels.length} labels`);
    }
    return files.map((file, index) => {
      const label = labels[index]!;
      checkRange(label, 1, classCount, `${matlab.file}, label of ${file}`);
      const breed = file.split('/')[0]!;
      const known = folderOf.get(label) ?? breed;
      if (known !== breed) throw new RequestError(`${matlab.file}: label ${label} is used for ${known} and ${breed}`);
      folderOf.set(label, breed);
      return { file: path.join(images, file), label: label - 1 };
    });
  };
  const train = await read('train_list.mat');
  const test = await read('test_list.mat');
  const classIds = Array.from({ length: classCount }, (_, label) => label + 1);
  return { classes: classIds.map((id) => breedName(folderOf.get(id), id)), classIds, train, test };
}

/** `n02085620-Chihuahua` is named `Chihuahua`. */
function breedName(folder: string | undefined, id: number): string {
  return folder?.replace(/^n\d+-/, '') ?? `dog ${id}`;
}
