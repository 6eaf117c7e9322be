/** The ways in which the networks of a family are published: timm, Hugging Face transformers, the authors. */
import type { Float32NdArray } from '../../shared/arrays.js';

/** How one of timm's tensors is made from tensors of a file. */
export interface TensorSource {
  readonly from: readonly string[];
  /** Default: the only source as it is. Throws a RangeError when the sources have other shapes than it expects. */
  readonly make?: (parts: readonly Float32NdArray[]) => Float32NdArray;
}

/** What a file is, whose names have been recognised. */
export interface Flavour {
  /** Whose names they are, for the log of a run. */
  readonly name: string;
  readonly sourceOf: (timmName: string) => TensorSource;
  /** What is done to a tensor before its shape is compared with the needed one, such as resampling; default nothing. */
  readonly adapt?: (tensor: Float32NdArray, timmName: string, needed: readonly number[]) => Float32NdArray;
  /** Sides of the grids of patches, when the position embedding is resampled. */
  readonly resampled?: { readonly from: number; readonly to: number };
}
