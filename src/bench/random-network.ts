/** Stitched networks of random weights, for benchmarks: time does not depend on weights. */
import { viTArchitecture } from '../models/vit/architecture.js';
import type { ViTVariant } from '../models/vit/variants.js';
import { initialWeights } from '../models/weights.js';
import { type Float32NdArray, float32, sizeOf } from '../shared/arrays.js';
import type { Random } from '../shared/random.js';
import type { StitchSpace } from '../stitching/space/stitch-space.js';
import type { FrozenNetwork } from '../stitching/stitchable-network.js';

/** Normally distributed, deviation 0.02. */
export function randomArray(random: Random, shape: readonly number[]): Float32NdArray {
  return float32(shape, random.truncatedNormal(sizeOf(shape), 0.02));
}

/** @param variants the anchors of the space */
export function randomNetwork(
  random: Random,
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
