/** Steps and memory beside PyTorch in the same run, and what this program is to reach, as a share of PyTorch's. */

export interface Bench {
  readonly precision: string;
  readonly batch: number;
  readonly matmul_gflops_per_second: number;
  readonly sn_net_step_ms?: number;
  /** Of values and programs on the card. */
  readonly esta_device_memory_mib?: number;
  readonly results: readonly {
    readonly model: string;
    readonly forward_ms: number;
    readonly step_ms: number;
    readonly esta_step_ms: number | null;
    readonly gflops_per_second: number;
  }[];
}

/** A line of the peer: times of a model in a mode, of an ESTA step that the largest teaches or of SN-Net's, or the memory of the former. */
export interface PeerLine {
  readonly model?: string;
  readonly mode?: string;
  readonly compile?: boolean;
  readonly forward_ms?: number;
  readonly step_ms?: number;
  readonly esta_step_S_to_B?: number;
  readonly sn_net_step_S_to_B?: number;
  /** What PyTorch has reserved for ESTA steps alone. */
  readonly esta_reserved_MiB?: number;
}

export interface Peer {
  readonly lines: readonly PeerLine[];
  /** What PyTorch has counted at most, GiB: "peak GiB 5.6". */
  readonly peakGib: number | undefined;
}

export const barColumns = ['Measured', 'Precision', 'esta', 'PyTorch beside it', 'Share', 'Bar', 'Reached'];

/** The mode of the peer that computes as a precision of ours. */
const modes: Readonly<Record<string, string>> = { float32: 'fp32', tf32: 'tf32', mixed: 'bf16' };

interface Row {
  readonly what: string;
  readonly ours: number | undefined;
  readonly peer: number | undefined;
  /** Of TF32 and of mixed. */
  readonly bars: readonly [number, number];
}

export function barRows(benches: readonly Bench[], peer: Peer): string[][] {
  return benches.flatMap((bench) => {
    const mode = modes[bench.precision];
    return rowsOf(bench, mode, peer).flatMap(({ what, ours, peer, bars }) => {
      if (ours === undefined) return [];
      const bar = bars[bench.precision === 'mixed' ? 1 : 0];
      const share = peer === undefined ? undefined : ours / peer;
      const reached = share === undefined ? '-' : share <= bar ? 'yes' : 'NO';
      const numbers = [ours, peer ?? '-', share === undefined ? '-' : `${share.toFixed(2)}x`, `${bar.toFixed(1)}x`];
      return [[what, bench.precision, ...numbers.map(String), reached]];
    });
  });
}

function rowsOf({ results, ...bench }: Bench, mode: string | undefined, { lines, peakGib }: Peer): Row[] {
  const ours = (size: string) => results.find(({ model }) => model === `vit_${size}_patch16_224`);
  const eager = lines.filter((line) => line.mode === mode && !line.compile);
  const theirs = (size: string) => eager.find(({ model }) => model === `vit-${size}`);
  const said = (key: 'esta_step_S_to_B' | 'sn_net_step_S_to_B' | 'esta_reserved_MiB') =>
    eager.find((line) => line[key] !== undefined)?.[key];
  const peakMib = said('esta_reserved_MiB') ?? (peakGib === undefined ? undefined : Math.round(1024 * peakGib));
  const compiled = lines.find((line) => line.mode === mode && line.compile);
  const [even, memory] = [[1, 1] as const, [1.2, 1] as const];
  return [
    { what: 'ViT-Ti step, ms', ours: ours('tiny')?.step_ms, peer: theirs('tiny')?.step_ms, bars: [0.7, 0.5] },
    { what: 'ViT-B forward, ms', ours: ours('base')?.forward_ms, peer: theirs('base')?.forward_ms, bars: even },
    { what: 'ViT-B step, ms', ours: ours('base')?.step_ms, peer: theirs('base')?.step_ms, bars: even },
    {
      what: 'ViT-B step, PyTorch compiled, ms',
      ours: compiled && ours('base')?.step_ms,
      peer: compiled?.step_ms,
      bars: even,
    },
    {
      what: 'ESTA step, ms',
      ours: results.at(-1)?.esta_step_ms ?? undefined,
      peer: said('esta_step_S_to_B'),
      bars: even,
    },
    { what: 'SN-Net step, ms', ours: bench.sn_net_step_ms, peer: said('sn_net_step_S_to_B'), bars: [1.2, 1.2] },
    { what: 'ESTA step, MiB of the card', ours: bench.esta_device_memory_mib, peer: peakMib, bars: memory },
  ];
}
