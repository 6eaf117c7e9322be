/** The file that a pretrained anchor becomes. */
import { imageInputOf } from '../../models/architecture.js';
import { architectureNamed } from '../../models/architectures.js';
import { fromScratch, type Network } from '../../models/from-scratch.js';
import { openSafetensors, writeSafetensors } from '../../models/pretrained/formats/safetensors.js';
import { normalisationMetadata } from '../../models/pretrained/published-input.js';
import type { Float32NdArray, StateDict } from '../../shared/arrays.js';
import { Diverged } from '../../shared/errors.js';
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

/** The smallest number that half precision rounds to infinity. */
const tooLarge = 65520;

/**
 * Writes an anchor in half precision, with what it was made by and how its images were normalised.
 * @throws Diverged where half precision cannot hold a weight
 */
export async function writeAnchor(
  file: string,
  architecture: string,
  { network, epoch, accuracy }: MeasuredAnchor,
  identity: AnchorIdentity,
): Promise<void> {
  const known = architectureNamed(architecture, identity.data.image_size);
  const stateDict = fromScratch(known).stateDictOf(network);
  refuseDiverged(architecture, epoch, stateDict);
  await writeSafetensors(file, stateDict, {
    dtype: 'F16',
    metadata: {
      ...{ architecture, epochs: String(epoch), accuracy: accuracy.toFixed(2) },
      ...normalisationMetadata(imageInputOf(known).preprocessing),
      identity: JSON.stringify(identity),
    },
  });
}

/** The loss of the last step is of the weights before it, so that it may be finite where they no longer are. */
function refuseDiverged(architecture: string, epoch: number, stateDict: StateDict): void {
  for (const [name, { data }] of Object.entries(stateDict)) {
    const value = data.find((each) => !(Math.abs(each) < tooLarge));
    if (value === undefined) continue;
    throw new Diverged(
      `${architecture}: ${name} holds ${value} after epoch ${epoch}, which half precision cannot hold`,
      'Lower its learning_rate, and choose another folder with --set output=DIR.',
    );
  }
}

/** What a finished anchor's file says; undefined where there is none. */
export async function finishedResult(file: string, name: string): Promise<PretrainedAnchorResult | undefined> {
  if (!(await exists(file))) return undefined;
  const open = await openSafetensors(file);
  const { epochs, accuracy } = open.metadata;
  await open.close();
  return { name, file, epochs: Number(epochs), accuracy: Number(accuracy) };
}
