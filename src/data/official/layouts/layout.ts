/** What a reader of an official on-disk layout yields, and what describes an official data set. */
import type { DatasetFacts } from '../../../config/official-datasets.js';
import type { Sample } from '../../dataset.js';

/** Labels 0 to classes - 1, files absolute, in the official order. */
export interface OfficialLabels {
  readonly classes: readonly string[];
  /** raw class ids by label, ascending: raw id `classIds[label]` belongs to `label` */
  readonly classIds: readonly number[];
  readonly train: readonly Sample[];
  /** only where the official set has a validation part */
  readonly val?: readonly Sample[];
  readonly test: readonly Sample[];
}

export interface LayoutReader {
  /** Labels from the official label files below `folder`; missing or damaged files are RequestErrors. */
  readLabels(folder: string): Promise<OfficialLabels>;
  /** Resolves the paths used as keys in VPT's split files; absent where VPT has none. */
  vptPaths?(folder: string): Promise<(key: string) => string>;
}

export interface Archive {
  readonly file: string;
  /** of the official download; archives without a published sum are not verified */
  readonly md5?: string;
}

/** Smallest and largest number of images of a class. */
export type ClassRange = readonly [fewest: number, most: number];

export interface OfficialSpec extends DatasetFacts {
  readonly name: string;
  /** other names accepted on the command line */
  readonly aliases: readonly string[];
  /** images per class in train and val together, and in test; absent where not known */
  readonly perClass?: { readonly train: ClassRange; readonly test: ClassRange };
  /** whether published copies differ by a few test images, so that another test count is only a warning */
  readonly testCountVaries?: boolean;
  readonly archives: readonly Archive[];
  /** label files that are downloaded beside the archives */
  readonly looseFiles: readonly Archive[];
  /** which of these files to download, in words, where there are alternatives; left out: all of them */
  readonly files?: string;
  /** where a person downloads it */
  readonly where: string;
  readonly size: string;
  /** folder below the data root that holds the unpacked archives; several tasks may share one */
  readonly folder: string;
  readonly layout: LayoutReader;
  /** Turns unpacked archives below `source` into image files below `target`, for sets that do not hold image files. */
  convert?(source: string, target: string, progress: OnActivity): Promise<void>;
}

/** Called as work goes on; `total` is 0 while unknown. */
export type OnActivity = (activity: string, done: number, total: number) => void;
