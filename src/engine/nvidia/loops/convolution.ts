/**
 * Convolutions as what is simpler. Those of patches side by side are products, their gradients too. Those of each channel
 * alone are sums over the places of the filter. Images are [batch, channels, height, width] in ONNX; where channels lie last
 * in memory, so they stay.
 */

import { sizeOf } from '../../../shared/arrays.js';
import { sameShape } from '../../onnx/graph.js';
import { intOf, intsOf } from './attributes.js';
import { type Conversion, MissingOperators } from './conversion.js';
import { product } from './products.js';
import type { Value, Values } from './value.js';

type Four = [number, number, number, number];

const channelsLast = [0, 2, 3, 1];
const channelsFirst = [0, 3, 1, 2];

/** Images and filter [outputs, channels / groups, rows, columns]. */
export function convolution(conversion: Conversion): Value {
  const { values, node, given } = conversion;
  const [images, filter] = given as [Value, Value];
  const [strides, dilations, pads] = ['strides', 'dilations', 'pads'].map((name) => intsOf(node.attributes[name]));
  const groups = intOf(node.attributes['group'], 1);
  const [, channels, height, width] = images.shape as Four;
  const [, , rows, columns] = filter.shape as Four;
  const isDense = [...strides!, ...dilations!].every((extent) => extent === 1);
  if (groups > 1 && isDense && filter.shape[0] === groups) {
    return channels === groups
      ? depthwise(values, images, filter, pads!)
      : depthwiseFilter(values, images, filter, pads!);
  }
  const isPlain = groups === 1 && pads!.every((pad) => pad === 0);
  if (isPlain && sameShape(strides!, [rows, columns])) return ofPatches(conversion, images, filter);
  // The gradient of such a filter: the elements of a gradient are as far apart as patches.
  const isGradient =
    sameShape(strides!, [1, 1]) && height === rows * dilations![0]! && width === columns * dilations![1]!;
  if (isPlain && isGradient) return filterOfPatches(conversion, images, filter);
  throw new MissingOperators([`a convolution of [${filter.shape}] with ${groups} groups in strides of [${strides}]`]);
}

function ofPatches({ values, products }: Conversion, images: Value, filter: Value): Value {
  const [batch, channels, height, width] = images.shape as Four;
  const [outputs, , rows, columns] = filter.shape as Four;
  const [down, across] = [Math.floor(height / rows), Math.floor(width / columns)];
  const size = channels * rows * columns;
  const apart = patchesOf(values, images, [down, across], [rows, columns]);
  const patches = values.reshape(values.transpose(apart, [0, 2, 4, 1, 3, 5]), [batch * down * across, size]);
  const weights = values.transpose(values.reshape(filter, [outputs, size]), [1, 0]);
  const result = values.reshape(product(values, products, patches, weights), [batch, down, across, outputs]);
  return values.transpose(result, channelsFirst);
}

/** [batch, channels, down, rows, across, columns] */
function patchesOf(
  values: Values,
  images: Value,
  [down, across]: readonly [number, number],
  [rows, columns]: readonly [number, number],
): Value {
  const [batch, channels] = images.shape as Four;
  const whole = values.slice(images, [0, 0, 0, 0], [1, 1, 1, 1], [batch, channels, down * rows, across * columns]);
  return values.reshape(whole, [batch, channels, down, rows, across, columns]);
}

/** @param images [channels, batch, height, width] @param gradients [outputs, batch, down, across] */
function filterOfPatches({ values, products }: Conversion, images: Value, gradients: Value): Value {
  const [channels, batch, height, width] = images.shape as Four;
  const [outputs, , down, across] = gradients.shape as Four;
  const [rows, columns] = [height / down, width / across];
  const places = batch * down * across;
  const apart = patchesOf(values, images, [down, across], [rows, columns]);
  const patches = values.reshape(values.transpose(apart, [0, 3, 5, 1, 2, 4]), [channels * rows * columns, places]);
  const slopes = values.transpose(values.reshape(gradients, [outputs, places]), [1, 0]);
  const result = values.reshape(product(values, products, patches, slopes), [channels, rows, columns, outputs]);
  return values.transpose(result, channelsFirst);
}

/** The gradient of the images of patches side by side. */
export function transposedConvolution({ values, node, given, products }: Conversion): Value {
  const [gradients, filter] = given as [Value, Value];
  const [batch, outputs, down, across] = gradients.shape as Four;
  const [, channels, rows, columns] = filter.shape as Four;
  const { strides, pads, group, output_padding: beyond } = node.attributes;
  const isPlain = [...intsOf(pads), ...intsOf(beyond)].every((pad) => pad === 0) && intOf(group, 1) === 1;
  if (!isPlain || !sameShape(intsOf(strides), [rows, columns])) {
    throw new MissingOperators([
      `the gradient of a convolution of [${filter.shape}] in strides of [${intsOf(strides)}]`,
    ]);
  }
  const slopes = values.reshape(values.transpose(gradients, channelsLast), [batch * down * across, outputs]);
  const weights = values.reshape(filter, [outputs, channels * rows * columns]);
  const result = values.reshape(product(values, products, slopes, weights), [
    batch,
    down,
    across,
    channels,
    rows,
    columns,
  ]);
  return values.reshape(values.transpose(result, [0, 3, 1, 4, 2, 5]), [batch, channels, down * rows, across * columns]);
}

/** Images [batch, height, width, channels] with a border of zeros. */
function bordered(values: Values, images: Value, [top, left, bottom, right]: readonly number[]): Value {
  const [batch, height, width, channels] = images.shape as Four;
  const shape = [batch, height + top! + bottom!, width + left! + right!, channels];
  return values.make({ kind: 'pad', before: [0, top!, left!, 0], number: 0, inputs: [images] }, shape, images.type);
}

/** The elements that a place of the filter meets: [batch, down, across, channels]. */
function shifted(values: Values, images: Value, row: number, column: number, shape: readonly number[]): Value {
  return values.slice(images, [0, row, column, 0], [1, 1, 1, 1], shape);
}

/** Filter [channels, 1, rows, columns]. */
function depthwise(values: Values, images: Value, filter: Value, pads: readonly number[]): Value {
  const [channels, , rows, columns] = filter.shape as Four;
  const padded = bordered(values, values.transpose(images, channelsLast), pads);
  const [batch, height, width] = padded.shape as Four;
  const shape = [batch, height - rows + 1, width - columns + 1, channels];
  const taps = values.transpose(values.reshape(filter, [channels, rows, columns]), [1, 2, 0]);
  const inputs: Value[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const tap = values.slice(taps, [row, column, 0], [1, 1, 1], [1, 1, channels]);
      inputs.push(shifted(values, padded, row, column, shape), values.reshape(tap, [channels]));
    }
  }
  const code = Array.from({ length: inputs.length / 2 }, (_, place) => `$${2 * place} * $${2 * place + 1}`).join(' + ');
  return values.transpose(values.map(code, inputs), channelsFirst);
}

/**
 * The gradient of the filter of each channel alone: images [1, channels * batch, height, width] and gradients [channels,
 * batch, down, across] to [1, channels, rows, columns].
 */
function depthwiseFilter(values: Values, images: Value, gradients: Value, pads: readonly number[]): Value {
  const [channels, batch, down, across] = gradients.shape as Four;
  const apart = values.reshape(images, [channels, batch, ...images.shape.slice(2)]);
  const padded = bordered(values, values.transpose(apart, [1, 2, 3, 0]), pads);
  const slopes = values.transpose(gradients, [1, 2, 3, 0]);
  const [, height, width] = padded.shape as Four;
  const [rows, columns] = [height - down + 1, width - across + 1];
  const sums: Value[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const terms = values.map('$0 * $1', [shifted(values, padded, row, column, slopes.shape), slopes]);
      const input = values.reshape(terms, [1, sizeOf(terms.shape) / channels, channels]);
      const sum = values.make({ kind: 'columns', by: 'sum', inputs: [input] }, [1, channels], terms.type);
      sums.push(values.map('$0', [sum]));
    }
  }
  const all = values.make({ kind: 'packed', inputs: sums }, [rows, columns, channels], images.type);
  return values.reshape(values.transpose(all, [2, 0, 1]), [1, channels, rows, columns]);
}
