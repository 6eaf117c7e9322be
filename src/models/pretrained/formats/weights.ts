/** Pretrained weights as they lie in files, under the names of whoever wrote them. */
import type { Float32NdArray } from '../../../shared/arrays.js';

export interface Weights {
  /** Path or address, for messages. */
  readonly location: string;
  readonly names: ReadonlySet<string>;
  /** Free text by name, where the format has some. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** One tensor as float32, in the layout of the file. */
  read(name: string): Promise<Float32NdArray>;
  close(): Promise<void>;
}
