/** The test images of a trial that has ended, where its data set still lies where it lay. */
import { isTextDataset } from '../../config/schema/dataset.js';
import { trialsOf } from '../../config/trials.js';
import type { Sample } from '../../data/dataset.js';
import { loadDataset } from '../../data/load.js';
import { RequestError } from '../../shared/errors.js';
import { defaultCacheFolder } from '../../shared/folders/cache-folder.js';
import type { StitchNetwork } from './trained-trial.js';

/** All of them, or why they cannot be read. */
export type TestImages = { readonly samples: readonly Sample[] } | { readonly absent: string };

export async function testImagesOf(
  { experiment, trial, classes }: Pick<StitchNetwork, 'experiment' | 'trial' | 'classes'>,
  cacheFolder = defaultCacheFolder(),
): Promise<TestImages> {
  // The trials of an ablation have names of their own, the data set and the seed stand in them all the same.
  const known = trialsOf(experiment).find(
    ({ name, dataset }) => name === trial || trial.startsWith(`${dataset.name}-`),
  );
  if (!known) return { absent: `${trial} names no data set of its experiment` };
  if (isTextDataset(known.dataset)) return { absent: `${known.dataset.name} has texts` };
  try {
    const { splits, classes: found } = await loadDataset(known.dataset, cacheFolder, { seed: known.seed });
    if (`${found}` !== `${classes}`) return { absent: `the data set ${known.dataset.name} has other classes by now` };
    return { samples: splits.test };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { absent: error.message };
  }
}

/** At most `count` samples, evenly from all, so that every class has its share. */
export function spread(samples: readonly Sample[], count: number): Sample[] {
  const step = Math.max(1, samples.length / count);
  return Array.from({ length: Math.min(count, samples.length) }, (_, index) => samples[Math.floor(index * step)]!);
}
