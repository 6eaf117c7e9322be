/** The tensors of a ConvNeXt, with the names of timm/models/convnext.py. */
import { imageChannels } from '../architecture.js';
import {
  drawn,
  linearRows,
  normRows,
  type PlacelessRow,
  patchRows,
  placed,
  type TensorRow,
  tensor,
  zeros,
} from '../tensor-table.js';
import {
  blocksOf,
  type ConvNeXtVariant,
  convNeXtMlpRatio,
  depthwiseSide,
  downsamplingSide,
  initialLayerScale,
  stemPatchSide,
} from './variants.js';

/** In the order of the tree (`ConvNeXtWeights`). */
export function convNeXtTensors(variant: ConvNeXtVariant): TensorRow[] {
  const { dims } = variant;
  const blocks = blocksOf(variant);
  return [
    ...placed({ part: 'embedding' }, [
      ...patchRows('embedding/patch', 'stem.0', stemPatchSide, imageChannels, dims[0]),
      ...normRows('embedding/norm', 'stem.1', dims[0]),
    ]),
    ...blocks.flatMap(({ stage, index, isFirst }, block) => [
      ...(isFirst && stage > 0
        ? placed({ part: 'entry', block }, downsamplingRows(`blocks/${block}`, stage, variant))
        : []),
      ...placed(
        { part: 'block', block },
        blockRows(`blocks/${block}`, `stages.${stage}.blocks.${index}`, dims[stage]!),
      ),
    ]),
    ...placed({ part: 'norm' }, normRows('norm', 'head.norm', dims[3])),
  ];
}

/** What leads from the stage before to `stage`. @param path of its first block */
function downsamplingRows(path: string, stage: number, { dims }: ConvNeXtVariant): PlacelessRow[] {
  const published = `stages.${stage}.downsample`;
  const [before, width] = [dims[stage - 1]!, dims[stage]!];
  return [
    ...normRows(`${path}/entryNorm`, `${published}.0`, before),
    ...patchRows(`${path}/reduce`, `${published}.1`, downsamplingSide, before, width),
  ];
}

function blockRows(path: string, published: string, width: number): PlacelessRow[] {
  const hidden = convNeXtMlpRatio * width;
  return [
    {
      path: `${path}/depthwise/filter`,
      published: `${published}.conv_dw.weight`,
      shape: [depthwiseSide, depthwiseSide, width, 1],
      layout: 'depthwise',
      initial: drawn,
    },
    tensor(`${path}/depthwise/bias`, `${published}.conv_dw.bias`, [width], zeros),
    ...normRows(`${path}/norm`, `${published}.norm`, width),
    ...linearRows(`${path}/expand`, `${published}.mlp.fc1`, width, hidden),
    ...linearRows(`${path}/contract`, `${published}.mlp.fc2`, hidden, width),
    tensor(`${path}/layerScale`, `${published}.gamma`, [width], { constant: initialLayerScale }),
  ];
}
