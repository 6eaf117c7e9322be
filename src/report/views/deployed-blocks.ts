/** Which stitches are deployed (supplement G): how many blocks each runs of each anchor, by task. */
import { distinct, groupBy, mean, sum } from '../../shared/groups.js';
import { anchorLabel, datasetLabel } from '../curves/labels.js';
import { averagingKey, type Repetition } from '../curves/repetition.js';
import { type Column, type Measurement, measure, none, type Row, type Table } from '../render/table.js';

/** The palette of one method on one data set. */
export interface DeployedBlocks {
  readonly dataset: string;
  readonly method: string;
  readonly seeds: number;
  /** Names of the anchors that are run, small to large. */
  readonly anchors: readonly string[];
  /** By rising FLOPs: blocks of each anchor, mean over the seeds, in the order of `anchors`. */
  readonly stitches: readonly { readonly flops: number; readonly blocks: readonly Measurement[] }[];
}

/** Of every method that deploys a stitch for each FLOPs bin, in order of appearance. */
export function deployedBlocksOf(repetitions: readonly Repetition[]): DeployedBlocks[] {
  const binned = repetitions.filter(({ stitches }) => stitches.some(({ bin }) => bin !== undefined));
  const groups = groupBy(binned, ({ dataset, method }) => JSON.stringify([dataset, method]));
  return [...groups.values()].map((seeds) => {
    const { dataset, method } = seeds[0]!;
    const deployed = seeds.flatMap(({ stitches }) => stitches.filter((stitch) => stitch.deployed));
    const paths = deployed.flatMap(({ flops, stitch }) => (stitch ? [{ flops, path: stitch.path }] : []));
    const anchors = anchorsOf(paths.toSorted((a, b) => a.flops - b.flops).map(({ path }) => path));
    const stitches = [...groupBy(deployed, averagingKey).values()].map((same) => ({
      flops: mean(same.map(({ flops }) => flops)),
      blocks: anchors.map((anchor) => measure(same.map(({ stitch }) => blocksOf(stitch?.path ?? [], anchor)))),
    }));
    return { dataset, method, seeds: seeds.length, anchors, stitches: stitches.sort((a, b) => a.flops - b.flops) };
  });
}

type Path = readonly { readonly anchor: string; readonly blocks: readonly [from: number, to: number] }[];

/** Cheap stitches begin with small anchors, and a stitch ends in a larger anchor than it begins with. */
function anchorsOf(paths: readonly Path[]): string[] {
  return distinct(paths.flatMap((path) => path.map(({ anchor }) => anchor)));
}

function blocksOf(path: Path, anchor: string): number {
  return sum(path.filter((segment) => segment.anchor === anchor).map(({ blocks: [from, to] }) => to - from));
}

/** A row for each anchor, a column for each deployed stitch by FLOPs, as Table I has them; undefined when there is none. */
export function deployedView(palettes: readonly DeployedBlocks[]): Table | undefined {
  if (palettes.length === 0) return undefined;
  const severalMethods = new Set(palettes.map(({ method }) => method)).size > 1;
  const precision = palettes.some(({ seeds }) => seeds > 1) ? 1 : 0;
  const width = Math.max(...palettes.map(({ stitches }) => stitches.length));
  const columns: Column[] = [
    { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
    ...(severalMethods ? [{ key: 'method', label: 'Method', kind: 'text', grouping: true } as const] : []),
    { key: 'anchor', label: 'Blocks of', kind: 'text' },
    ...Array.from({ length: width }, (_, index): Column => {
      return { key: `${index + 1}`, label: `${index + 1}`, kind: 'number', precision };
    }),
  ];
  const rows = palettes.flatMap(({ dataset, method, anchors, stitches }) =>
    anchors.map((anchor, position): Row => {
      const cells = Array.from({ length: width }, (_, index) => {
        return [`${index + 1}`, stitches[index]?.blocks[position] ?? none];
      });
      return {
        startsGroup: position === 0,
        cells: {
          dataset: datasetLabel(dataset),
          method,
          anchor: anchorLabel(anchor),
          ...Object.fromEntries(cells),
        },
      };
    }),
  );
  const notes = ['number of blocks that each deployed stitch runs of each anchor, stitches by rising FLOPs'];
  if (precision > 0) notes.push('mean ± standard deviation over seeds, of the stitches deployed for one FLOPs bin');
  return { name: 'deployed', title: 'Patterns of the deployed stitches (as Figure D)', columns, rows, notes };
}
