/**
 * Convolutions and their gradients. TensorFlow.js images are [batch, height, width, channels]; ONNX wants the channels
 * first, so every kernel transposes in and out, but for depthwise ones where blocked kernels can do without.
 */
import tf = require('@tensorflow/tfjs');

import type { Attribute, Graph, GraphValue } from '../graph.js';
import { kernel, type TracingKernel } from '../kernel.js';
import { blockedConvolution, blockedFilterGradient, isBlockable } from './blocked-depthwise.js';
import { reverseNode, transposeNode } from './shape.js';

type Info = tf.backend_util.Conv2DInfo;

const channelsFirst = (graph: Graph, x: GraphValue) => transposeNode(graph, x, [0, 3, 1, 2]);
const channelsLast = (graph: Graph, x: GraphValue) => transposeNode(graph, x, [0, 2, 3, 1]);

function infoOf(
  image: readonly number[],
  filter: readonly number[],
  attributes: Readonly<Record<string, unknown>>,
  depthwise: boolean,
): Info {
  if ((attributes['dataFormat'] ?? 'NHWC') !== 'NHWC') throw new Error('the onnxruntime engine convolves NHWC images');
  return tf.backend_util.computeConv2DInfo(
    [...image] as [number, number, number, number],
    [...filter] as [number, number, number, number],
    attributes['strides'] as number,
    (attributes['dilations'] ?? 1) as number,
    attributes['pad'] as 'same' | 'valid' | number | tf.backend_util.ExplicitPadding,
    attributes['dimRoundingMode'] as 'floor' | undefined,
    depthwise,
  );
}

const geometryOf = (info: Info): Record<string, Attribute> => ({
  strides: { ints: [info.strideHeight, info.strideWidth] },
  dilations: { ints: [info.dilationHeight, info.dilationWidth] },
  pads: { ints: [info.padInfo.top, info.padInfo.left, info.padInfo.bottom, info.padInfo.right] },
});

const attributesOf = (info: Info, groups: number) => ({ ...geometryOf(info), group: { int: groups } });

/** ONNX filter [outputs, inputs / groups, height, width]; a depthwise one is [channels * multiplier, 1, height, width]. */
const filterFor = (graph: Graph, filter: GraphValue, depthwise: boolean) =>
  depthwise
    ? graph.reshape(transposeNode(graph, filter, [2, 3, 0, 1]), [
        filter.shape[2]! * filter.shape[3]!,
        1,
        filter.shape[0]!,
        filter.shape[1]!,
      ])
    : transposeNode(graph, filter, [3, 2, 0, 1]);

const convolution = (depthwise: boolean): TracingKernel =>
  kernel(['x', 'filter'], (graph, { x, filter }, attributes) => convolve(graph, x, filter, attributes, depthwise));

function convolve(
  graph: Graph,
  x: GraphValue,
  filter: GraphValue,
  attributes: Readonly<Record<string, unknown>>,
  depthwise: boolean,
): GraphValue {
  const info = infoOf(x.shape, filter.shape, attributes, depthwise);
  if (depthwise && isBlockable(graph, info)) return blockedConvolution(graph, x, filter, info, geometryOf(info));
  const [batch, height, width, channels] = info.outShape;
  const inputs = [channelsFirst(graph, x), filterFor(graph, filter, depthwise)];
  const output = { shape: [batch!, channels!, height!, width!] };
  const groups = depthwise ? info.inChannels : 1;
  return channelsLast(graph, graph.node('Conv', inputs, output, { attributes: attributesOf(info, groups) }));
}

/**
 * Without strides the gradient of the input is a convolution too, of the output gradients with the filter turned by half,
 * and onnxruntime's Conv of many groups is up to four times as fast as its ConvTranspose.
 */
function mirrored({ padInfo, effectiveFilterHeight, effectiveFilterWidth, dilationHeight, dilationWidth }: Info) {
  const pad = [
    [0, 0],
    [effectiveFilterHeight - 1 - padInfo.top, effectiveFilterHeight - 1 - padInfo.bottom],
    [effectiveFilterWidth - 1 - padInfo.left, effectiveFilterWidth - 1 - padInfo.right],
    [0, 0],
  ];
  return { strides: 1, dilations: [dilationHeight, dilationWidth], pad };
}

const inputGradient = (depthwise: boolean): TracingKernel =>
  kernel(['dy', 'filter'], (graph, { dy, filter }, attributes) => {
    const shape = attributes['inputShape'] as number[];
    const info = infoOf(shape, filter.shape, attributes, depthwise);
    if (depthwise && info.strideHeight * info.strideWidth === 1 && info.inChannels === info.outChannels) {
      return convolve(graph, dy, reverseNode(graph, filter, [0, 1]), mirrored(info), true);
    }
    // The transposed convolution may come out short when the stride does not divide: output_padding is what is missing.
    const missing = (size: number, out: number, stride: number, effective: number, pads: number) =>
      size - ((out - 1) * stride + effective - pads);
    const output_padding = [
      missing(
        info.inHeight,
        info.outHeight,
        info.strideHeight,
        info.effectiveFilterHeight,
        info.padInfo.top + info.padInfo.bottom,
      ),
      missing(
        info.inWidth,
        info.outWidth,
        info.strideWidth,
        info.effectiveFilterWidth,
        info.padInfo.left + info.padInfo.right,
      ),
    ];
    const inputs = [channelsFirst(graph, dy), filterFor(graph, filter, depthwise)];
    const output = { shape: [shape[0]!, shape[3]!, shape[1]!, shape[2]!] };
    const groups = depthwise ? info.inChannels : 1;
    return channelsLast(
      graph,
      graph.node('ConvTranspose', inputs, output, {
        attributes: { ...attributesOf(info, groups), output_padding: { ints: output_padding } },
      }),
    );
  });

/**
 * The gradient of a filter is itself a convolution, of the images (batch and channels exchanged) with the output
 * gradients as filters, whose dilation is the stride.
 */
const filterGradient = (depthwise: boolean): TracingKernel =>
  kernel(['x', 'dy'], (graph, { x, dy }, attributes) => {
    const filterShape = attributes['filterShape'] as number[];
    const info = infoOf(x.shape, filterShape, attributes, depthwise);
    const [height, width, channels, multiplier] = filterShape as [number, number, number, number];
    const batch = x.shape[0]!;
    const isDense = [info.strideHeight, info.strideWidth, info.dilationHeight, info.dilationWidth].every(
      (n) => n === 1,
    );
    if (depthwise && isDense && isBlockable(graph, info)) {
      return blockedFilterGradient(graph, x, dy, info, geometryOf(info));
    }
    if (depthwise && multiplier !== 1)
      throw new Error('depthwise convolutions with a multiplier have no gradient here');
    const images = transposeNode(graph, x, [3, 0, 1, 2]);
    const gradients = transposeNode(graph, dy, [3, 0, 1, 2]);
    const image = depthwise ? graph.reshape(images, [1, channels * batch, info.inHeight, info.inWidth]) : images;
    const { top, left } = info.padInfo;
    // Rows and columns that the stride left out at the far edge may give extra positions: they are cut off.
    const extent = (size: number, before: number, after: number, out: number, stride: number) =>
      size + before + after - ((out - 1) * stride + 1) + 1;
    const rows = extent(info.inHeight, top, info.padInfo.bottom, info.outHeight, info.strideHeight);
    const columns = extent(info.inWidth, left, info.padInfo.right, info.outWidth, info.strideWidth);
    const leading = depthwise ? [1, channels] : [channels, info.outChannels];
    const full = graph.node(
      'Conv',
      [image, gradients],
      { shape: [...leading, rows, columns] },
      {
        attributes: {
          strides: { ints: [info.dilationHeight, info.dilationWidth] },
          dilations: { ints: [info.strideHeight, info.strideWidth] },
          pads: { ints: [top, left, info.padInfo.bottom, info.padInfo.right] },
          group: { int: depthwise ? channels : 1 },
        },
      },
    );
    const cut =
      rows === height && columns === width
        ? full
        : graph.node('Slice', [full, graph.int64s([0, 0]), graph.int64s([height, width]), graph.int64s([2, 3])], {
            shape: [...leading, height, width],
          });
    const ordered = transposeNode(graph, cut, depthwise ? [2, 3, 1, 0] : [2, 3, 0, 1]);
    return graph.reshape(ordered, filterShape);
  });

export const convolutionKernels: Record<string, TracingKernel> = {
  Conv2D: convolution(false),
  Conv2DBackpropInput: inputGradient(false),
  Conv2DBackpropFilter: filterGradient(false),
  DepthwiseConv2dNative: convolution(true),
  DepthwiseConv2dNativeBackpropInput: inputGradient(true),
  DepthwiseConv2dNativeBackpropFilter: filterGradient(true),
};
