/** The file that a pretrained anchor becomes. */
import { architectureNamed } from '../../models/architectures.js';
import { fromScratch, type Network } from '../../models/from-scratch.js';
import { openSafetensors, writeSafetensors } from '../../models/pretrained/formats/safetensors.js';
import type { Float32NdArray } from '../../shared/arrays.js';
import { exists } from '../../shared/files.js';
import type { AnchorIdentity } from './anchor-identity.js';

export interface PretrainedAnchorResult {
  readonly name: string;
  readonly file: string;
  readonly epochs: number;
  /** Top-1 on the validation split, percent. */
  readonly accuracy: number;
}

/** An anchor as it is after some epochs. */
export interface MeasuredAnchor {
  readonly network: Network<Float32NdArray>;
  /** Epochs that are done. */
  readonly epoch: number;
  /** Top-1 on the validation split, percent. */
  readonly accuracy: number;
}

/** Writes an anchor in half precision, with what it was made by. */
export async function writeAnchor(
  file: string,
  architecture: string,
  { network, epoch, accuracy }: MeasuredAnchor,
  identity: AnchorIdentity,
): Promise<void> {
  const { stateDictOf } = fromScratch(architectureNamed(architecture, identity.data.image_size));
  await writeSafetensors(file, stateDictOf(network), {
    dtype: 'F16',
    metadata: {
      ...{ architecture, epochs: String(epoch), accuracy: accuracy.toFixed(2) },
      identity: JSON.stringify(identity),
    },
  });
}

/** What a finished anchor's file says; undefined where there is none. */
export async function finishedResult(file: string, name: string): Promise<PretrainedAnchorResult | undefined> {
  if (!(await exists(file))) return undefined;
  const open = await openSafetensors(file);
  const { epochs, accuracy } = open.metadata;
  await open.close();
  return { name, file, epochs: Number(epochs), accuracy: Number(accuracy) };
}
