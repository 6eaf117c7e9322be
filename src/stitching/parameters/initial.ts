/**
 * Starting values: A uniform in +-1 / sqrt(in) and B zero, as LoRA (loralib, peft); stitch-specific biases zero, so that
 * at the start every stitch is exactly its frozen anchors; heads as timm makes new ones.
 */
import { initialHead } from '../../models/weights.js';
import { type Float32NdArray, float32, sizeOf } from '../../shared/arrays.js';
import { Random } from '../../shared/random.js';
import type { StitchableNetwork } from '../space/cost.js';
import type { StitchSpace } from '../space/stitch-space.js';
import { nameOf } from './names.js';
import { type Shape, trainableShapes } from './shapes.js';
import { combine, joinTrainables, noTrainables, type TrainablePath, type Trainables } from './trainables.js';

/**
 * @param start values that are there already: the pretrained weights of full fine-tuning, heads; others are left out
 * @throws Error when a weight of full fine-tuning is not among them
 */
export function initialTrainables(
  { stitches }: Pick<StitchSpace, 'stitches'>,
  network: StitchableNetwork,
  seed: number,
  start: Partial<Trainables<Float32NdArray>> = {},
): Trainables<Float32NdArray> {
  const shapes = stitches.map((stitch) => trainableShapes(stitch, network));
  const all = shapes.reduce<Trainables<Shape>>(joinTrainables, noTrainables);
  return combine<Shape, Float32NdArray, Float32NdArray>(all, { ...noTrainables, ...start }, (shape, given, path) => {
    return shape && (given ?? initialValue(path, shape, seed));
  });
}

function initialValue(path: TrainablePath, shape: Shape, seed: number): Float32NdArray {
  const [group] = path;
  const part = path.at(-1);
  const name = nameOf(path);
  if (group === 'weights') throw new Error(`no pretrained tensor is given for ${name}`);
  const random = Random.of(seed, 'trainables', name);
  if (group === 'heads' && part === 'weight') return initialHead(shape[0]!, shape[1]!, random).weight;
  if (part !== 'down') return float32(shape);
  const bound = 1 / Math.sqrt(shape.at(-2)!);
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-bound, bound)),
  );
}
