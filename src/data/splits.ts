/** Splits drawn from splits: validation images, few-shot subsets, and training with the validation images. */
import { RequestError } from '../shared/errors.js';
import { groupBy, sum } from '../shared/groups.js';
import { Random } from '../shared/random.js';
import type { Dataset, Sample, Splits } from './dataset.js';

/**
 * Gives a data set that has no validation split one, out of its training images; one that has a split is returned as
 * it is. Where classes get no validation image, a note says so.
 * @param fraction share of the training images, in (0, 1)
 */
export function withValidation(dataset: Dataset, fraction: number, seed: number): Dataset {
  const { splits } = dataset;
  if (splits.val) return dataset;
  const drawn = drawValidation(splits.train, fraction, seed);
  const present = new Set(drawn.val.map(({ label }) => label));
  const without = dataset.classes.filter((_, label) => !present.has(label));
  const note =
    `validation has no image of ${without.length} of ${dataset.classes.length} classes (${someOf(without)}): ` +
    `too few training images for validation_fraction ${fraction}`;
  return {
    ...dataset,
    splits: { ...drawn, test: splits.test },
    ...(without.length > 0 && { notes: [...(dataset.notes ?? []), note] }),
  };
}

/**
 * Stratified draw: ceil(fraction * images) validation images, apportioned to the classes by largest remainder, equal
 * remainders at random. These are the counts of VPT's published splits (whose seed is unknown) and of scikit-learn's
 * stratified train_test_split. But every class keeps one training image: what a class cannot give is taken from the next by
 * remainder, and where no class can give more there are fewer validation images. Both parts keep the order of `train`.
 */
export function drawValidation(
  train: readonly Sample[],
  fraction: number,
  seed: number,
): { train: Sample[]; val: Sample[] } {
  const total = train.length;
  const wanted = Math.ceil(fraction * total);
  if (!(fraction > 0) || wanted >= total) {
    throw new RequestError(
      `a validation fraction of ${fraction} takes ${wanted} of ${total} training images; some of both must remain`,
      'Choose a fraction between 0 and 1, such as 0.1.',
    );
  }
  const random = Random.of(seed, 'validation split');
  const groups = groupByLabel(train);
  // integer arithmetic, so that equal remainders are exactly equal
  const shares = random.shuffled(groups).map((indices) => {
    const scaled = wanted * indices.length;
    return { indices, count: Math.floor(scaled / total), remainder: scaled % total };
  });
  shares.sort((a, b) => b.remainder - a.remainder);
  let missing = wanted - sum(shares.map(({ count }) => count));
  for (let before = 0; missing > 0 && missing !== before; ) {
    before = missing;
    for (const share of shares) {
      if (missing === 0 || share.count + 1 >= share.indices.length) continue;
      share.count++;
      missing--;
    }
  }
  const chosen = new Set<number>();
  for (const { indices, count } of shares) {
    for (const index of random.shuffled(indices).slice(0, count)) chosen.add(index);
  }
  return {
    train: train.filter((_, index) => !chosen.has(index)),
    val: train.filter((_, index) => chosen.has(index)),
  };
}

/**
 * `shots` images of every class, drawn without replacement; classes that have fewer keep all, as in CoOp. Subsets of
 * different sizes are drawn independently. The order of `samples` is kept.
 */
export function fewShot(samples: readonly Sample[], shots: number, seed: number): Sample[] {
  const random = Random.of(seed, 'few-shot', shots);
  const chosen = new Set(groupByLabel(samples).flatMap((indices) => random.shuffled(indices).slice(0, shots)));
  return samples.filter((_, index) => chosen.has(index));
}

/** What a user who asks for `shots` images of each class must know: which classes have fewer. */
export function shotNotes({ classes, splits }: Dataset, shots: number): string[] {
  const counts = classes.map(() => 0);
  for (const { label } of splits.train) counts[label]!++;
  const fewer = classes.filter((_, label) => counts[label]! < shots);
  if (fewer.length === 0) return [];
  const lacking = counts.filter((count) => count < shots);
  const [fewest, most] = [Math.min(...lacking), Math.max(...lacking)];
  const range = fewest === most ? `${fewest}` : `${fewest} to ${most}`;
  return [
    `${fewer.length} of ${classes.length} classes have fewer than ${shots} training images (${range}) and keep all: ${someOf(fewer)}`,
  ];
}

/** All images that are not for testing, as VTAB-1k's train800val200: training first. */
export function trainAndValidation({ train, val = [] }: Splits): Sample[] {
  return [...train, ...val];
}

export function allSamples({ train, val = [], test }: Splits): Sample[] {
  return [...train, ...val, ...test];
}

/** Positions of the samples of each label that occurs, by label. */
function groupByLabel(samples: readonly Sample[]): number[][] {
  return [...groupBy(samples.keys(), (index) => samples[index]!.label)]
    .sort(([a], [b]) => a - b)
    .map(([, indices]) => indices);
}

export function someOf(names: readonly string[]): string {
  return names.slice(0, 5).join(', ') + (names.length > 5 ? ', ...' : '');
}
