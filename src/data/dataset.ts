/** What a data set is to the rest of the project: image files with labels, in three splits. Nothing is decoded here. */

/** One image: `label` is an index into the classes of its data set. */
export interface Sample {
  readonly file: string;
  readonly label: number;
}

/** `val` is missing where a data set has no validation images of its own; see `withValidation` to draw them. */
export interface Splits {
  readonly train: readonly Sample[];
  readonly val?: readonly Sample[];
  readonly test: readonly Sample[];
}

export interface Dataset {
  readonly name: string;
  /** names in the order of the labels */
  readonly classes: readonly string[];
  readonly splits: Splits;
  /** pixels of the shorter edge that its images were shrunk to beforehand; left out: they are as published */
  readonly resized?: number;
  /** what a reader of results must know about the images and splits, one sentence each */
  readonly notes?: readonly string[];
}

/** Invented beetles, drawn on demand; fields are named as in experiment files. */
export interface SpeciesSource {
  readonly kind: 'species';
  readonly name: string;
  readonly classes: number;
  /** number of the first species, default 0 */
  readonly first?: number | undefined;
  /** images of each species in the three splits */
  readonly train_images: number;
  readonly validation_images: number;
  readonly test_images: number;
  readonly seed: number;
}
