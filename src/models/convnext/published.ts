/** Recognises pretrained ConvNeXts, from whoever published them. */
import { RequestError } from '../../shared/errors.js';
import { prepare, requireNames } from '../pretrained/assemble.js';
import type { Flavour } from '../pretrained/flavour.js';
import { reshaped } from '../pretrained/formats/layout.js';
import type { Weights } from '../pretrained/formats/weights.js';
import { checkedConfig, transformersName } from '../pretrained/transformers-config.js';
import { type ConvNeXtNaming, convNeXtNamingOf } from './names.js';
import { type ConvNeXtVariant, convNeXtVariants } from './variants.js';

/**
 * @returns undefined when the names are nobody's
 * @throws RequestError when the file holds another size of network than `variant`
 */
export async function convNeXtFlavourOf(weights: Weights, variant: ConvNeXtVariant): Promise<Flavour | undefined> {
  const naming = convNeXtNamingOf(weights);
  if (!naming) return undefined;
  await refuseOtherSizes(weights, variant, naming);
  if (naming.name === transformersName) await checkedConfig(weights);
  return {
    name: naming.name,
    sourceOf: naming.sourceOf,
    // Some conversions hold the linear layers of a block as 1 x 1 convolutions [out, in, 1, 1].
    adapt: (tensor, _name, needed) =>
      String(tensor.shape) === String([...needed, 1, 1]) ? reshaped(tensor, needed) : tensor,
  };
}

interface Size {
  readonly depths: readonly number[];
  readonly dims: readonly number[];
}

/** One message for the weights of another size of network, before single tensors are compared. */
async function refuseOtherSizes(weights: Weights, variant: ConvNeXtVariant, naming: ConvNeXtNaming): Promise<void> {
  const modules = ['stem.0', 'stages.1.downsample.1', 'stages.2.downsample.1', 'stages.3.downsample.1'];
  const biases = modules.map((module) => ({ source: naming.sourceOf(`${module}.bias`) }));
  requireNames(weights, biases, variant.name);
  const dims: number[] = [];
  for (const bias of biases) dims.push((await prepare(weights, bias)).shape[0]!);
  const found = described({ depths: naming.depths, dims });
  if (found === described(variant)) return;
  const known = convNeXtVariants.find((other) => described(other) === found);
  throw new RequestError(
    `${weights.location} holds a ConvNeXt with ${found}, but ${variant.name} has ${described(variant)}`,
    known
      ? `It looks like ${known.name}: name that architecture, or use weights of ${variant.name}.`
      : `Use weights of ${variant.name}.`,
  );
}

function described({ depths, dims }: Size): string {
  return `depths ${depths.join('-')}, widths ${dims.join('-')}`;
}
