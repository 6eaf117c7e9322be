/**
 * Few-shot training lists that others published (NOAH, SPT: `train_meta.list.num_shot_<k>.seed_<s>`), for results on
 * exactly their images. Their files are found in the data set by the end of their path, wherever it was unpacked.
 *
 * CoOp's Flowers lists were drawn from all images, most of them from the official test part. A list that names test
 * images is refused: it belongs to another test set.
 */
import path from 'node:path';
import { RequestError } from '../../../shared/errors.js';
import { groupBy } from '../../../shared/groups.js';
import type { Dataset, Sample } from '../../dataset.js';
import { allSamples, someOf } from '../../splits.js';
import { readImageList } from './text-table.js';

/**
 * The data set with the listed images as its training split. Unknown, mislabelled or leaked images are RequestErrors.
 */
export async function withTrainingList(dataset: Dataset, list: string): Promise<Dataset> {
  const { val = [], test } = dataset.splits;
  const byName = groupBy(allSamples(dataset.splits), ({ file }) => path.basename(file));
  const isTest = new Set(test.map(({ file }) => file));
  const chosen = (await readImageList(list, '', dataset.classes.length)).map(({ file: listed, label }) => {
    const found = (byName.get(path.basename(listed)) ?? []).filter(({ file }) => `/${file}`.endsWith(`/${listed}`));
    const [sample] = found;
    if (sample === undefined || found.length > 1) {
      throw new RequestError(
        `${list} names ${listed}: expected the end of the path of one image of ${dataset.name}, received that of ${found.length}`,
        found.length > 1
          ? 'Write more of the path into the list, so that it is that of one image.'
          : 'Set training_list to a list of this data set, or check that all of its images are unpacked: esta data check.',
      );
    }
    if (sample.label !== label) {
      throw new RequestError(
        `${list} says label ${label} for ${listed}, ${dataset.name} says ${sample.label}: labels count its classes from 0`,
        'Set training_list to the list that was published for these classes, or leave it out: then shots draws images.',
      );
    }
    if (isTest.has(sample.file)) {
      throw new RequestError(
        `${list} names ${listed}, which is a test image of ${dataset.name}: training on it would leak the test set`,
        'Use the test list that was published with it, or draw few-shot images from the training split.',
      );
    }
    return sample;
  });
  const taken = new Set(chosen.map(({ file }) => file));
  const rest = val.filter(({ file }) => !taken.has(file));
  const notes = [...(dataset.notes ?? []), ...notesOn(list, chosen, dataset.classes)];
  return {
    ...dataset,
    splits: { train: chosen, ...(rest.length > 0 && { val: rest }), test },
    ...(notes.length > 0 && { notes }),
  };
}

/** What a list that was cut, or written twice, shows only in the results. */
function notesOn(list: string, chosen: readonly Sample[], classes: readonly string[]): string[] {
  const labels = new Set(chosen.map(({ label }) => label));
  const without = classes.filter((_, label) => !labels.has(label));
  const repeated = chosen.length - new Set(chosen.map(({ file }) => file)).size;
  return [
    ...(without.length > 0
      ? [
          `${list} names no image of ${without.length} of ${classes.length} classes (${someOf(without)}), which nothing learns`,
        ]
      : []),
    ...(repeated > 0 ? [`${list} names ${repeated} images more than once, which count each time`] : []),
  ];
}
