/** A stitched network small enough to compute by hand in tests: two anchors of two blocks, random weights everywhere. */
import { viTArchitecture } from '../../src/models/vit/architecture.js';
import type { ViTVariant } from '../../src/models/vit/variants.js';
import { initialWeights } from '../../src/models/weights.js';
import { type Float32NdArray, float32, int32 } from '../../src/shared/arrays.js';
import { Random } from '../../src/shared/random.js';
import { initialTrainables } from '../../src/stitching/parameters/initial.js';
import { nameOf } from '../../src/stitching/parameters/names.js';
import { mapTrainables, type Trainables } from '../../src/stitching/parameters/trainables.js';
import type { Adaptation, StitchableNetwork } from '../../src/stitching/space/cost.js';
import { buildStitchSpace, largestAnchor } from '../../src/stitching/space/stitch-space.js';
import type { FrozenNetwork } from '../../src/stitching/stitchable-network.js';
import { namedLeaves } from '../../src/training/parameters.js';
import { randomArray } from '../engine/tensors.js';

const shape = { depth: 2, mlpRatio: 2, patchSize: 4, imageSize: 8, classes: 3 };

const variants: readonly ViTVariant[] = [
  { ...shape, name: 'small', width: 8, heads: 2 },
  { ...shape, name: 'large', width: 12, heads: 3 },
];
export const architectures = variants.map(viTArchitecture);

/** Ids: 0 and 1 the anchors, from 2 on the pairs. */
export const space = buildStitchSpace(variants.map(({ name, width, depth }) => ({ name, width, depth })));
export const teacher = space.stitches[largestAnchor(space)]!;

export const pst: Adaptation = { ranks: [2, 2], stitchingLayerRank: 2, stitchBias: true };

export function networkOf(adaptation: StitchableNetwork['adaptation'] = pst): StitchableNetwork {
  return { anchors: architectures, classes: shape.classes, adaptation };
}

/** Weights of a size at which everything matters, the pretrained ones of a real network. */
export function frozenNetwork(): FrozenNetwork<Float32NdArray> {
  const random = Random.of(0, 'frozen');
  return {
    anchors: architectures.map((architecture) => initialWeights(architecture, random)),
    layers: space.stitchingLayers.map(() => ({
      weight: randomArray(random, [8, 12]) as Float32NdArray,
      bias: randomArray(random, [12]) as Float32NdArray,
    })),
  };
}

/** Trainables in the middle of a training: no tensor is zero. */
export function trainables(adaptation: StitchableNetwork['adaptation'] = pst): Trainables<Float32NdArray> {
  const weights = namedLeaves<Float32NdArray>(frozenNetwork());
  const start = initialTrainables(space, networkOf(adaptation), 0, { weights });
  return mapTrainables(start, ({ shape, data }, path) => {
    const random = Random.of(1, nameOf(path));
    return float32(
      shape,
      data.map((value) => value + 0.3 * random.normal()),
    );
  });
}

export function batch(size = 4) {
  const random = Random.of(0, 'batch');
  return {
    images: randomArray(random, [size, 8, 8, 3]) as Float32NdArray,
    labels: int32(
      [size],
      Int32Array.from({ length: size }, () => random.integer(3)),
    ),
  };
}
