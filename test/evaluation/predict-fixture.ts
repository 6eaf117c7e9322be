/** Checkpoints and an image out of formulas, the same as in test/fixtures/make-predict.py. */
import path from 'node:path';
import sharp from 'sharp';
import { numFeatures } from '../../src/models/architecture.js';
import { architectureNamed } from '../../src/models/architectures.js';
import { writeSafetensors } from '../../src/models/pretrained/formats/safetensors.js';
import { initialHead, initialWeights, stateDictOf } from '../../src/models/weights.js';
import { float32, type StateDict, sizeOf } from '../../src/shared/arrays.js';
import { Random } from '../../src/shared/random.js';

export async function drawImage(folder: string): Promise<string> {
  const [width, height] = [100, 80];
  const pixels = new Uint8Array(width * height * 3);
  for (let at = 0; at < pixels.length; at++) {
    const [channel, x, y] = [at % 3, Math.floor(at / 3) % width, Math.floor(at / 3 / width)];
    pixels[at] = Math.round(127 + 120 * Math.sin(0.11 * x + 0.07 * y * (channel + 1)));
  }
  const file = path.join(folder, 'drawn.png');
  await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(file);
  return file;
}

/** @param options withHead: default true; a head of 5 classes */
export async function writeCheckpoint(
  folder: string,
  name: string,
  { withHead = true }: { readonly withHead?: boolean } = {},
): Promise<string> {
  const architecture = architectureNamed(name);
  const random = Random.of(0, 'shapes alone');
  const head = initialHead(numFeatures(architecture), 5, random);
  const shapes = stateDictOf(architecture, initialWeights(architecture, random), head);
  const names = Object.keys(shapes).sort();
  const tensors: StateDict = {};
  for (const [index, tensor] of names.entries()) {
    if (!withHead && /^head\.(fc\.)?(weight|bias)$/.test(tensor)) continue;
    const { shape } = shapes[tensor]!;
    const values = Float32Array.from({ length: sizeOf(shape) }, (_, at) => 0.2 * Math.sin(0.7 * at + index));
    tensors[tensor] = float32(shape, values);
  }
  const file = path.join(folder, `${name}.safetensors`);
  await writeSafetensors(file, tensors);
  return file;
}
