/** The tensors of a vision transformer, with the names of timm/models/vision_transformer.py. */
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
} from '../tensor-table.js';
import { tokensOf, type ViTVariant } from './variants.js';

/** In the order of the tree (`ViTWeights`). */
export function viTTensors(variant: ViTVariant): TensorRow[] {
  const { width, depth, patchSize } = variant;
  return [
    ...placed({ part: 'embedding' }, [
      ...patchRows('embedding/patch', 'patch_embed.proj', patchSize, imageChannels, width),
      tensor('embedding/classToken', 'cls_token', [1, 1, width], drawn),
      tensor('embedding/position', 'pos_embed', [1, tokensOf(variant), width], drawn),
    ]),
    ...Array.from({ length: depth }, (_, block) => placed({ part: 'block', block }, blockRows(block, variant))).flat(),
    ...placed({ part: 'norm' }, normRows('norm', 'norm', width)),
  ];
}

function blockRows(block: number, { width, mlpRatio }: ViTVariant): PlacelessRow[] {
  const [path, published] = [`blocks/${block}`, `blocks.${block}`];
  return [
    ...normRows(`${path}/norm1`, `${published}.norm1`, width),
    ...['query', 'key', 'value'].flatMap((name) =>
      linearRows(`${path}/${name}`, `${published}.attn.qkv`, width, width),
    ),
    ...linearRows(`${path}/projection`, `${published}.attn.proj`, width, width),
    ...normRows(`${path}/norm2`, `${published}.norm2`, width),
    ...linearRows(`${path}/expand`, `${published}.mlp.fc1`, width, mlpRatio * width),
    ...linearRows(`${path}/contract`, `${published}.mlp.fc2`, mlpRatio * width, width),
  ];
}
