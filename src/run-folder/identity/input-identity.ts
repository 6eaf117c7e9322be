/** What the numbers of a training depend on beside its settings: images, what computes, and the program. */
import type { Dataset } from '../../data/dataset.js';
import { fingerprintOf } from '../../data/fingerprint.js';
import type { Engine } from '../../engine/engine.js';
import type { Precision } from '../../shared/engine-names.js';
import { numericsVersion } from '../../shared/identity/numerics.js';

/** Images by what data/fingerprint.ts sees of them: contents are not read. */
export interface ImagesIdentity {
  readonly classes: readonly string[];
  /** How many there are. */
  readonly images: { readonly train: number; readonly validation: number; readonly test: number };
  /** Fingerprint of the names, labels and sizes in bytes of all images, in their order. */
  readonly names_and_sizes: string;
}

/** Texts and what they are read by. */
export interface TextsIdentity {
  readonly train: number;
  readonly validation: number;
  /** Left out where there are none. */
  readonly test?: number;
  /** Fingerprint of all texts, in their order. */
  readonly content: string;
  /** Fingerprint of the vocabulary. */
  readonly tokenizer: string;
}

/** @throws RequestError for an image that is not there */
export function imagesIdentity(dataset: Pick<Dataset, 'classes' | 'splits'>): ImagesIdentity {
  const { classes, splits } = dataset;
  return {
    classes,
    images: { train: splits.train.length, validation: splits.val?.length ?? 0, test: splits.test.length },
    names_and_sizes: fingerprintOf(dataset).slice(0, 16),
  };
}

/** What computes. The number of threads is left out: it moves digits, as another processor does, and no more. */
export interface ComputationIdentity {
  readonly engine: string;
  readonly device: string;
  readonly precision: Precision;
  /** Of the program: shared/identity/numerics.ts. */
  readonly numerics: number;
}

export function computationIdentity({
  name,
  device,
  precision,
}: Pick<Engine, 'name' | 'device' | 'precision'>): ComputationIdentity {
  return { engine: name, device: device.split(',')[0]!, precision, numerics: numericsVersion };
}
