/** The patterns of the deployed stitches (Figure D): for each a bar of its blocks, coloured by anchor. */
import type { TopLevelSpec } from 'vega-lite';
import { distinct } from '../../shared/groups.js';
import { anchorLabel, datasetLabel } from '../curves/labels.js';
import type { DeployedBlocks } from '../views/deployed-blocks.js';
import { colourBy, figureFrame, figureTitle, panelsBy } from './figure-style.js';

/** A panel for each data set; where there are several methods, a row for each data set and a panel for each method. */
export function deployedFigure(palettes: readonly DeployedBlocks[]): TopLevelSpec {
  const methods = new Set(palettes.map(({ method }) => method)).size;
  const panelOf = ({ dataset, method }: DeployedBlocks) =>
    [datasetLabel(dataset), ...(methods > 1 ? [method] : [])].join(': ');
  const anchors = distinct(palettes.flatMap((palette) => palette.anchors)).map(anchorLabel);
  const values = palettes.flatMap((palette) =>
    palette.stitches.flatMap(({ blocks }, index) =>
      blocks.map(({ mean }, position) => ({
        panel: panelOf(palette),
        stitch: index + 1,
        anchor: anchorLabel(palette.anchors[position]!),
        order: position,
        blocks: mean,
      })),
    ),
  );
  const panels = palettes.map(panelOf);
  const size = { width: panels.length > 1 ? 260 : 420, height: 150 };
  const unit = {
    ...size,
    mark: { type: 'bar', width: { band: 0.8 } },
    encoding: {
      x: { field: 'stitch', type: 'ordinal', title: 'Deployed stitch, by FLOPs', axis: { labelAngle: 0 } },
      y: { field: 'blocks', type: 'quantitative', title: 'Blocks', axis: { tickCount: 5 } },
      color: colourBy('anchor', anchors),
      order: { field: 'order', type: 'quantitative' },
    },
  } as const;
  const shared = {
    ...figureFrame,
    data: { values },
    title: figureTitle('Patterns of the deployed stitches', 'number of blocks from each anchor'),
  };
  const spec =
    panels.length > 1
      ? { ...shared, ...panelsBy('panel', panels, methods > 1 ? Math.min(4, methods) : 3), spec: unit }
      : { ...shared, ...unit };
  return spec as TopLevelSpec;
}
