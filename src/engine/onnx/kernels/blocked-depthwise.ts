/**
 * Depthwise convolutions by the kernels that ONNX Runtime's CPU provider keeps for its own graph optimizer: domain
 * com.microsoft.nchwc, images [batch, channels / block, height, width, block]. They compute all channels of a block at
 * once, where the standard Conv makes a matrix product with a single row of every channel, and they read and write our
 * [batch, height, width, channels] directly. The optimizer uses them only for constant filters, so we write them.
 *
 * Layouts: onnxruntime/contrib_ops/cpu/nchwc_ops.cc, core/mlas/lib/reorder.cpp (MlasReorderFilterOIHWBo).
 */
import type * as tf from '@tensorflow/tfjs';
import type { Attribute, Graph, GraphValue } from '../graph.js';
import { reduceNode } from './reduction.js';
import { padNode, sliceNode, transposeNode } from './shape.js';

type Info = tf.backend_util.Conv2DInfo;
type Attributes = Readonly<Record<string, Attribute>>;

const domain = 'com.microsoft.nchwc';
/** The kernels that reorder channels-last images move so many at a time. */
const channelUnit = 4;

/** Whether the functions below can be used. */
export function isBlockable(graph: Graph, { inChannels, outChannels }: Info): boolean {
  return graph.channelBlock !== undefined && inChannels === outChannels && inChannels % channelUnit === 0;
}

/** @param filter [height, width, channels, 1]; @param attributes of an ONNX Conv, without its group */
export function blockedConvolution(
  graph: Graph,
  x: GraphValue,
  filter: GraphValue,
  { batchSize, inChannels, outHeight, outWidth, filterHeight, filterWidth }: Info,
  attributes: Attributes,
): GraphValue {
  const channels = wholeBlocks(graph, inChannels);
  const shape = [batchSize, channels, outHeight, outWidth];
  const inputs = [blocked(graph, x), blockedFilter(graph, filter)];
  const result = depthwiseNode(graph, inputs, shape, [filterHeight, filterWidth], attributes);
  return channelsLast(graph, result, inChannels);
}

/**
 * The gradient of the filter [height, width, channels, 1] is itself a depthwise convolution, of every image of the batch
 * with its own output gradient, summed over the batch. In blocks that costs no transposition: [batch, channels] images are
 * batch * channels channels of one image. Strides and dilations of 1 only.
 */
export function blockedFilterGradient(
  graph: Graph,
  x: GraphValue,
  dy: GraphValue,
  { batchSize, inChannels, inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth }: Info,
  attributes: Attributes,
): GraphValue {
  const channels = wholeBlocks(graph, inChannels);
  const all = batchSize * channels;
  const inputs = [
    graph.reshape(blocked(graph, x), [1, all, inHeight, inWidth]),
    graph.reshape(blocked(graph, dy), [all, 1, outHeight, outWidth]),
  ];
  const shape = [1, all, filterHeight, filterWidth];
  const result = channelsLast(graph, depthwiseNode(graph, inputs, shape, [outHeight, outWidth], attributes), all);
  const ofImages = graph.reshape(result, [filterHeight, filterWidth, batchSize, channels]);
  const sum = reduceNode(graph, 'ReduceSum', ofImages, 2, false);
  const size = [filterHeight, filterWidth, inChannels];
  return graph.reshape(sliceNode(graph, sum, [0, 0, 0], size), [...size, 1]);
}

function wholeBlocks(graph: Graph, channels: number): number {
  return Math.ceil(channels / graph.channelBlock!) * graph.channelBlock!;
}

function depthwiseNode(
  graph: Graph,
  inputs: readonly GraphValue[],
  shape: readonly number[],
  kernel: readonly number[],
  attributes: Attributes,
): GraphValue {
  return graph.node(
    'Conv',
    inputs,
    { shape },
    { domain, attributes: { ...attributes, kernel_shape: { ints: kernel }, group: { int: shape[1]! } } },
  );
}

/** [batch, height, width, channels] in blocks; channels that the last block lacks are zeros. */
function blocked(graph: Graph, x: GraphValue): GraphValue {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const output = { shape: [batch, wholeBlocks(graph, channels), height, width] };
  return graph.node('ReorderInput', [x], output, { domain, attributes: { channels_last: { int: 1 } } });
}

function channelsLast(graph: Graph, x: GraphValue, channels: number): GraphValue {
  const [batch, , height, width] = x.shape as [number, number, number, number];
  const output = { shape: [batch, height, width, channels] };
  const attributes = { channels_last: { int: 1 }, channels: { int: channels } };
  return graph.node('ReorderOutput', [x], output, { domain, attributes });
}

/** [height, width, channels, 1] -> [channels / block, height, width, block], which counts as [channels, 1, height, width]. */
function blockedFilter(graph: Graph, filter: GraphValue): GraphValue {
  const [height, width, channels] = filter.shape as [number, number, number, number];
  const block = graph.channelBlock!;
  const whole = wholeBlocks(graph, channels);
  const flat = graph.reshape(filter, [height * width, channels]);
  const padded =
    whole === channels
      ? flat
      : padNode(
          graph,
          flat,
          [
            [0, 0],
            [0, whole - channels],
          ],
          0,
        );
  const inBlocks = transposeNode(graph, graph.reshape(padded, [height * width, whole / block, block]), [1, 0, 2]);
  return graph.reshape(inBlocks, [whole, 1, height, width]);
}
