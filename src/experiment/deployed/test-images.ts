/** The test images of a trial that has ended, where its data set still lies where it lay. */
import { isTextDataset } from '../../config/schema/dataset.js';
import type { Sample } from '../../data/dataset.js';
import { loadDataset } from '../../data/load.js';
import { imagesIdentity } from '../../run-folder/identity/input-identity.js';
import { RequestError } from '../../shared/errors.js';
import { defaultCacheFolder } from '../../shared/folders/cache-folder.js';
import type { StitchNetwork } from './trained-trial.js';

/** All of them, and what has changed since the trial was tested, or why they cannot be read. */
export type TestImages =
  | { readonly samples: readonly Sample[]; readonly changed?: string }
  | { readonly absent: string };

export async function testImagesOf(
  {
    experiment,
    trial,
    dataset,
    seed,
    classes,
    images,
  }: Pick<StitchNetwork, 'experiment' | 'trial' | 'dataset' | 'seed' | 'classes' | 'images'>,
  cacheFolder = defaultCacheFolder(),
): Promise<TestImages> {
  const known = experiment.data.find(({ name }) => name === dataset);
  if (!known) return { absent: `the experiment of ${trial} has no data set ${dataset}` };
  if (isTextDataset(known)) return { absent: `${dataset} has texts` };
  try {
    const found = await loadDataset(known, cacheFolder, { seed });
    const { splits } = found;
    if (`${found.classes}` !== `${classes}`) return { absent: `the data set ${dataset} has other classes by now` };
    if (!images || imagesIdentity(found).names_and_sizes === images.names_and_sizes) return { samples: splits.test };
    const { test } = images.images;
    const counts = test === splits.test.length ? '' : ` (${test} test images then, ${splits.test.length} now)`;
    return { samples: splits.test, changed: `images of ${dataset} were added, removed or changed since${counts}` };
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
