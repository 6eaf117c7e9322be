/** What the stages of gpu-check.sh have written, as one page: how each ended, parity, and steps beside those of a peer. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Bench, barColumns, barRows, type Peer, type PeerLine } from './bars.js';
import {
  type Generation,
  generationColumns,
  generationRows,
  stepColumns,
  stepRows,
  type TextSteps,
} from './language-tables.js';

/** Of `esta bench data`. */
interface Loading {
  readonly batch: number;
  readonly threads: number;
  readonly results: readonly { readonly images_per_second: number; readonly cache_hit_rate: number }[];
}

/** @param folder what gpu-check.sh has written */
export async function summaryOf(folder: string): Promise<string> {
  const read = (name: string) => readFile(path.join(folder, name), 'utf8').catch(() => '');
  const stages = (await read('stages.txt')).split('\n').filter((line) => line !== '');
  const names = await readdir(folder);
  const documents = async <T>(kind: string) => {
    const texts = await Promise.all(names.filter((name) => name.startsWith(kind) && name.endsWith('.json')).map(read));
    // Of a command that failed, the document is its error.
    return texts.map(parsed).filter((document) => document !== undefined && !('error' in document)) as T[];
  };
  const parities = await documents<{ precision: string; gradients: number; tolerance: number; agrees: boolean }>(
    'parity-',
  );
  const benches = await documents<Bench>('bench-');
  const generations = await documents<Generation>('generate-');
  const textSteps = await documents<TextSteps>('text-step-');
  const loadings = await documents<Loading>('data');
  const peer = peerOf(await read('peer.txt'));
  const bars = barRows(benches, peer);
  const memory = (await read('memory.csv')).split('\n').map((line) => Number(line.split(',')[1]));
  const peak = Math.max(...memory.filter(Number.isFinite));
  return [
    table(
      ['Stage', 'Seconds', 'How it ended'],
      stages.map((line) => line.split('|')),
    ),
    parities.length > 0 &&
      table(
        ['Precision', 'Gradients differ from the CPU by', 'At most', 'Agrees'],
        parities.map(({ precision, gradients, tolerance, agrees }) => [
          precision,
          gradients.toExponential(1),
          tolerance.toExponential(1),
          agrees ? 'yes' : 'NO',
        ]),
      ),
    ...benches.map(benchTable),
    peerTable(peer.lines),
    bars.length > 0 && table(barColumns, bars),
    ...loadings.map(loadingLine),
    generations.length > 0 && table(generationColumns, generationRows(generations)),
    textSteps.length > 0 && table(stepColumns, stepRows(textSteps)),
    Number.isFinite(peak) && `Most memory of the card in use at once, all stages: ${peak} MiB.`,
  ]
    .filter((part) => typeof part === 'string' && part !== '')
    .join('\n\n');
}

function benchTable({ precision, batch, matmul_gflops_per_second: peak, results }: Bench): string {
  const rows = results.map(({ model, forward_ms, step_ms, esta_step_ms, gflops_per_second }) => [
    model,
    ...[forward_ms, step_ms, esta_step_ms ?? '-'].map(String),
    (gflops_per_second / 1000).toFixed(1),
    `${Math.round((100 * gflops_per_second) / peak)} %`,
  ]);
  const columns = ['Model', 'Forward (ms)', 'Step (ms)', 'ESTA step (ms)', 'TFLOP/s', 'Of the matmul rate'];
  return `esta, ${precision}, batch ${batch}\n\n${table(columns, rows)}`;
}

function peerOf(text: string): Peer {
  const lines = text.split('\n').map(parsed) as readonly (PeerLine | undefined)[];
  const peak = /peak GiB ([\d.]+)/.exec(text)?.[1];
  return { lines: lines.filter((line) => line !== undefined), peakGib: peak === undefined ? undefined : Number(peak) };
}

function loadingLine({ threads, results }: Loading): string {
  const rates = results.map(
    ({ images_per_second: rate, cache_hit_rate: hits }) => `${rate} (${Math.round(100 * hits)} % from memory)`,
  );
  return `Images a second that ${threads} threads prepare, epoch by epoch: ${rates.join(', ')}.`;
}

function peerTable(lines: readonly PeerLine[]): string {
  const rows = lines.flatMap(({ model, mode = '', compile, forward_ms, step_ms, ...stitched }) => {
    const { esta_step_S_to_B: esta, sn_net_step_S_to_B: snNet } = stitched;
    const step = step_ms ?? esta ?? snNet;
    if (step === undefined) return [];
    const what = model ?? (esta === undefined ? 'SN-Net step' : 'ESTA step');
    return [[what, `${mode}${compile ? ', compiled' : ''}`, String(forward_ms ?? '-'), String(step)]];
  });
  return rows.length === 0 ? '' : `The peer\n\n${table(['Model', 'Mode', 'Forward (ms)', 'Step (ms)'], rows)}`;
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Undefined for a line or file that is no JSON object: a stage that was stopped half-way has written none. */
function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${await summaryOf(process.argv[2] ?? 'gpu-check')}\n`);
}
