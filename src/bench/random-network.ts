/** Stitched networks of random weights and images, for benchmarks: time does not depend on them. */
import type { BatchImages, PixelImages } from '../data/batches/pixel-images.js';
import { normalise } from '../data/images/augment.js';
import { inceptionNormalisation } from '../data/images/preprocessing.js';
import type { Engine } from '../engine/engine.js';
import { viTArchitecture } from '../models/vit/architecture.js';
import { tokensOf, type ViTVariant } from '../models/vit/variants.js';
import { initialWeights } from '../models/weights.js';
import { type Float32NdArray, float32, sizeOf, uint8 } from '../shared/arrays.js';
import { RequestError } from '../shared/errors.js';
import type { NormalSource, Random } from '../shared/random.js';
import { buildStitchSpace, type StitchSpace } from '../stitching/space/stitch-space.js';
import type { FrozenNetwork } from '../stitching/stitchable-network.js';

/** A prime: where numbers come again, they stand in other columns of a matrix. */
const drawnNumbers = 65_521;

/** Draws some numbers and repeats them, every time from another one on: drawing 10^8 of them took longer than most measurements. */
export function repeatedNormals(random: Random): NormalSource {
  const drawn = random.truncatedNormal(drawnNumbers, 1);
  let next = 0;
  return {
    truncatedNormal: (length, std) => {
      const pattern = drawn.map((number) => std * number);
      const numbers = new Float32Array(length);
      for (let filled = 0; filled < length; ) {
        const part = pattern.subarray(next, next + length - filled);
        numbers.set(part, filled);
        filled += part.length;
        next = (next + part.length) % drawnNumbers;
      }
      return numbers;
    },
  };
}

/** Normally distributed, deviation 0.02. */
export function randomArray(random: NormalSource, shape: readonly number[]): Float32NdArray {
  return float32(shape, random.truncatedNormal(sizeOf(shape), 0.02));
}

/** The same for all engines, in the form in which training sends them. @param shape [batch, side, side, 3] */
export function randomImages(
  { imagesAsBytes }: Pick<Engine, 'imagesAsBytes'>,
  random: Random,
  shape: readonly number[],
): BatchImages {
  const bytes = Uint8Array.from({ length: sizeOf(shape) }, () => random.integer(256));
  if (imagesAsBytes) return { pixels: uint8(shape, bytes), ...inceptionNormalisation } satisfies PixelImages;
  const numbers = Float32Array.from(bytes);
  normalise(numbers, inceptionNormalisation);
  return float32(shape, numbers);
}

/**
 * @param variants small to large, at least two
 * @throws RequestError where they cannot be stitched, as where their images have different numbers of tokens
 */
export function spaceBetween(variants: readonly ViTVariant[]): StitchSpace {
  const inputs = variants.map((variant) => `${tokensOf(variant)} tokens of ${variant.imageSize} pixels`);
  if (inputs.every((input) => input === inputs[0])) return buildStitchSpace(variants);
  const received = variants.map(({ name }, index) => `${name} (${inputs[index]})`).join(', ');
  throw new RequestError(
    `--model: expected networks with the same number of tokens and the same image size, received ${received}`,
    'Name networks of one patch size and one image size.',
  );
}

/** @param variants the anchors of the space */
export function randomNetwork(
  random: NormalSource,
  { stitchingLayers }: Pick<StitchSpace, 'stitchingLayers'>,
  variants: readonly ViTVariant[],
): FrozenNetwork<Float32NdArray> {
  return {
    anchors: variants.map((variant) => initialWeights(viTArchitecture(variant), random)),
    layers: stitchingLayers.map(({ fromAnchor, toAnchor }) => {
      const [from, to] = [variants[fromAnchor]!.width, variants[toAnchor]!.width];
      return { weight: randomArray(random, [from, to]), bias: randomArray(random, [to]) };
    }),
  };
}
