/** Names as people read them in tables and figures. Names that are not known here are shown as they are. */
import { fgvcDatasets, officialDatasets, vtabTaskNames } from '../../config/official-datasets.js';
import type { Method } from '../../config/schema/experiment.js';
import type { ResultSegment, StitchResult } from '../../run-folder/result.js';
import { formatCost } from '../../shared/costs/format-cost.js';
import { counted, formatPercent } from '../../shared/costs/numbers.js';

const datasetLabels: Record<string, string> = {
  ...Object.fromEntries(Object.entries(officialDatasets).map(([name, { title }]) => [name, title])),
  'vtab-1k': 'VTAB-1k',
  fgvc: 'FGVC',
};

const methodLabels: Readonly<Record<Method, string>> = {
  esta: 'ESTA',
  'sn-net': 'SN-Net',
  'anchor-lora': 'Anchors with LoRA',
  'naive-lora': 'LoRA',
  'ss-lora': 'SS-LoRA',
  'adapt-then-stitch': 'Adapt-then-stitch',
  'adapt-then-sn-net': 'Adapt, then SN-Net',
};

/** `stanford-cars-4-shot` becomes "Stanford Cars, 4 shots". */
export function datasetLabel(name: string): string {
  const { task, shots } = fewShotTask(name);
  const label = Object.hasOwn(datasetLabels, task) ? datasetLabels[task]! : task;
  return shots === undefined ? label : `${label}, ${counted(shots, 'shot')}`;
}

/** What a few-shot data set is taken from, by its default name; others are tasks of their own. */
function fewShotTask(name: string): { readonly task: string; readonly shots: number | undefined } {
  const [, task, shots] = /^(.+)-(\d+)-shot$/.exec(name) ?? [];
  return task === undefined ? { task: name, shots: undefined } : { task, shots: Number(shots) };
}

/** Whether a mean over these data sets says something: not for shots of one and the same task. */
export function areDifferentTasks(datasets: readonly string[]): boolean {
  return new Set(datasets.map((name) => fewShotTask(name).task)).size > 1;
}

/** A method, or a variant: those are words already. */
export function methodLabel(name: string): string {
  return Object.hasOwn(methodLabels, name) ? methodLabels[name as Method] : name;
}

/** The name that the mean over these data sets goes by: vtab-1k for its 19 tasks, fgvc for its five data sets, its own for one. */
export function meanName(datasets: readonly string[]): string {
  if (datasets.length === 1) return datasets[0]!;
  const areAll = (tasks: readonly string[]) =>
    datasets.length === tasks.length && tasks.every((task) => datasets.includes(task));
  if (areAll(vtabTaskNames) || areAll(vtabTaskNames.map((task) => `vtab-${task}`))) return 'vtab-1k';
  return areAll(Object.keys(fgvcDatasets)) ? 'fgvc' : `mean of ${datasets.length} data sets`;
}

const sizes: Record<string, string> = { tiny: 'Ti', small: 'S', base: 'B', large: 'L', huge: 'H' };

/** `vit_small_patch16_224` becomes ViT-S, `convnext_tiny` ConvNeXt-T; short names (Ti, S, B) stay. */
export function anchorLabel(name: string): string {
  const match = /^(vit|convnext)_(mini_)?(tiny|small|base|large|huge)/.exec(name);
  if (!match) return name;
  const [, family, mini, size] = match;
  const letter = sizes[size!]!;
  const short = family === 'convnext' ? letter[0]! : letter;
  return `${family === 'vit' ? 'ViT' : 'ConvNeXt'}-${mini ? 'mini-' : ''}${short}`;
}

/** `ViT-Ti 0–4 → ViT-S 4–11`: the blocks of each anchor, both ends included. An anchor alone is its name. */
export function pathLabel(path: readonly ResultSegment[]): string {
  if (path.length === 1) return anchorLabel(path[0]!.anchor);
  return path
    .map(({ anchor, blocks: [from, to] }) => `${anchorLabel(anchor)} ${from === to - 1 ? from : `${from}–${to - 1}`}`)
    .join(' → ');
}

/** `small[0-4) -> base[4-12)`: the blocks of each anchor, the second end excluded. */
export function halfOpenPath(path: readonly ResultSegment[]): string {
  return path.map(({ anchor, blocks: [from, to] }) => `${anchor}[${from}-${to})`).join(' -> ');
}

/** `stitch 42, ViT-S 0–4 → ViT-B 4–11: 9.1 GFLOPs, 54.2 M parameters, 88.30 % on the test images`. */
export function stitchSummary(stitch: StitchResult): string {
  const { id, path, flops, params, accuracy } = stitch;
  const cost = `${formatCost('flops', flops)}, ${formatCost('params', params).replace('params', 'parameters')}`;
  return `stitch ${id}, ${pathLabel(path)}: ${cost}, ${formatPercent(accuracy)} ${reportedOn(stitch)}`;
}

/** What the accuracy of a stitch is of: images are classified; of texts the next token is told, and those for validation are reported. */
export function reportedOn({ loss }: Pick<StitchResult, 'loss'>): string {
  return loss === undefined ? 'on the test images' : 'of the next tokens of the validation texts';
}

/** What begins a sentence. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `1e-3`, `2.5e-4`. */
export function learningRateLabel(rate: number): string {
  return rate.toExponential().replace('e+0', '');
}

/** `48 s`, `12 min 05 s`, `3 h 07 min`. */
export function durationLabel(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** FLOPs in G, or in M when every number to be shown together is below 1 G. */
export interface FlopsUnit {
  readonly symbol: 'G' | 'M';
  readonly size: number;
}

export function flopsUnit(flops: readonly number[]): FlopsUnit {
  const below = flops.length > 0 && flops.every((value) => value < 1e9);
  return below ? { symbol: 'M', size: 1e6 } : { symbol: 'G', size: 1e9 };
}
