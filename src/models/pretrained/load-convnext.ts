/** Loads pretrained ConvNeXts, from whoever published them, into timm's names and layouts. */
import type { Float32NdArray, StateDict } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import {
  type ConvNeXtVariant,
  convNeXtMlpRatio,
  convNeXtVariantNamed,
  convNeXtVariantNames,
} from '../convnext/variants.js';
import { assemble, type LoadReport, type Needed, prepare, requireNames, unusedNames } from './assemble.js';
import { reshaped } from './formats/layout.js';
import type { Weights } from './formats/weights.js';
import { type ConvNeXtFlavour, convNeXtFlavourOf } from './names/convnext-flavours.js';
import { refuseOtherArchitectures, unknownArchitecture } from './names/other-architectures.js';
import { pretrainedHead } from './pretrained-head.js';
import { openWeights } from './sources/source.js';

export interface LoadedConvNeXt {
  /** timm's names, linear weights [out, in]. `head.fc.*` are there when the report says 'kept'. */
  readonly weights: StateDict;
  readonly report: LoadReport;
}

export interface ConvNeXtLoadOptions {
  /** Classes of the task: a pretrained head of another size is left out. Default: any head is kept. */
  readonly classes?: number;
}

/**
 * @param source `hf-hub:OWNER/NAME[@REVISION]`, a folder, or a .safetensors file
 * @returns all tensors of `variant`; throws a RequestError that says what the file holds instead
 */
export async function loadConvNeXt(
  source: string,
  variant: ConvNeXtVariant,
  options: ConvNeXtLoadOptions = {},
): Promise<LoadedConvNeXt> {
  const weights = await openWeights(source, variant.name);
  try {
    return await convNeXtFrom(weights, variant, options);
  } finally {
    await weights.close();
  }
}

async function convNeXtFrom(
  weights: Weights,
  variant: ConvNeXtVariant,
  { classes }: ConvNeXtLoadOptions,
): Promise<LoadedConvNeXt> {
  refuseOtherArchitectures(weights, 'ConvNeXt');
  const flavour = convNeXtFlavourOf(weights.names);
  if (!flavour) throw unknownArchitecture(weights, 'ConvNeXt');
  await refuseOtherSizes(weights, variant, flavour);
  const head = await pretrainedHead(weights, flavour.recipe, 'head.fc', classes);
  const shapes = shapesOf(variant, head.keptClasses);
  const needed = Object.entries(shapes).map(
    ([name, shape]): Needed => ({ name, shape, recipe: flavour.recipe(name), adapt: withoutPixels(shape) }),
  );
  const tensors = await assemble(weights, needed, variant.name);
  const known = [...Object.keys(shapes), 'head.fc.weight', 'head.fc.bias'].map(flavour.recipe);
  const unused = unusedNames(weights, known);
  return {
    weights: tensors,
    report: { location: weights.location, flavour: flavour.name, head: head.outcome, unused },
  };
}

/** Some conversions hold the linear layers of a block as 1 x 1 convolutions [out, in, 1, 1]. */
function withoutPixels(shape: readonly number[]): (tensor: Float32NdArray) => Float32NdArray {
  return (tensor) => (String(tensor.shape) === String([...shape, 1, 1]) ? reshaped(tensor, shape) : tensor);
}

/** Shapes of timm's tensors; with a head for so many classes, if given. */
function shapesOf(
  { depths, dims }: ConvNeXtVariant,
  headClasses: number | undefined,
): Record<string, readonly number[]> {
  const shapes: Record<string, readonly number[]> = {};
  const add = (module: string, weight: readonly number[]) => {
    shapes[`${module}.weight`] = weight;
    shapes[`${module}.bias`] = [weight[0]!];
  };
  add('stem.0', [dims[0], 3, 4, 4]);
  add('stem.1', [dims[0]]);
  for (const [stage, width] of dims.entries()) {
    if (stage > 0) {
      const before = dims[stage - 1]!;
      add(`stages.${stage}.downsample.0`, [before]);
      add(`stages.${stage}.downsample.1`, [width, before, 2, 2]);
    }
    for (let index = 0; index < depths[stage]!; index++) {
      const block = `stages.${stage}.blocks.${index}`;
      add(`${block}.conv_dw`, [width, 1, 7, 7]);
      add(`${block}.norm`, [width]);
      add(`${block}.mlp.fc1`, [convNeXtMlpRatio * width, width]);
      add(`${block}.mlp.fc2`, [width, convNeXtMlpRatio * width]);
      shapes[`${block}.gamma`] = [width];
    }
  }
  add('head.norm', [dims[3]]);
  if (headClasses !== undefined) add('head.fc', [headClasses, dims[3]]);
  return shapes;
}

interface Size {
  readonly depths: readonly number[];
  readonly dims: readonly number[];
}

/** One message for the weights of another size of network, before single tensors are compared. */
async function refuseOtherSizes(weights: Weights, variant: ConvNeXtVariant, flavour: ConvNeXtFlavour): Promise<void> {
  const biases = ['stem.0', 'stages.1.downsample.1', 'stages.2.downsample.1', 'stages.3.downsample.1'].map(
    (module) => ({
      recipe: flavour.recipe(`${module}.bias`),
    }),
  );
  requireNames(weights, biases, variant.name);
  const dims: number[] = [];
  for (const bias of biases) dims.push((await prepare(weights, bias)).shape[0]!);
  const found = described({ depths: flavour.depths, dims });
  if (found === described(variant)) return;
  const known = convNeXtVariantNames.find((name) => described(convNeXtVariantNamed(name)) === found);
  throw new RequestError(
    `${weights.location} holds a ConvNeXt with ${found}, but ${variant.name} has ${described(variant)}`,
    known
      ? `It looks like ${known}: name that architecture, or use weights of ${variant.name}.`
      : `Use weights of ${variant.name}.`,
  );
}

function described({ depths, dims }: Size): string {
  return `depths ${depths.join('-')}, widths ${dims.join('-')}`;
}
