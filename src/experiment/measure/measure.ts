/**
 * What every stitch of a trial takes on this machine: each is exported, and the files are visited in rounds, every round in
 * an order of its own, so that a machine that gets warm or busy slows all of them alike. One network is open at a time.
 *
 * Notes are kept in `<run>/measurements/<machine>.partial/`, so that a measurement that was stopped goes on.
 */

import { rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  describeRuntime,
  type ExportedFile,
  requireDevice,
  type Surroundings,
} from '../../bench/latency/exported-file.js';
import { peakMemoryOf } from '../../bench/latency/peak-memory.js';
import { visit } from '../../bench/latency/timing.js';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import {
  fingerprintOf,
  type MachineMeasurements,
  type MeasuredStitch,
  measurementVersion,
} from '../../run-folder/measured/measurement.js';
import { measurementsFile, writeMachine } from '../../run-folder/measured/measurements-folder.js';
import { Interrupted } from '../../shared/errors.js';
import { exists, writeAtomic } from '../../shared/files.js';
import { median, quantile } from '../../shared/groups.js';
import { interruptSignal } from '../../shared/interrupt.js';
import { createProgress } from '../../shared/progress.js';
import { Random } from '../../shared/random.js';
import type { Runtime } from '../../training/runtime.js';
import { onnxModelOf } from '../deployed/export-network.js';
import { openTrial, type StitchNetwork, type TrainedTrial } from '../deployed/trained-trial.js';
import { type MeasureJournal, openMeasureJournal } from './journal.js';
import { alreadyMeasured, besidesNote, type MeasureRequest, measuredBesides, shownNote } from './measured-before.js';
import { refuseOtherSettings } from './other-settings.js';

export type MeasureRuntime = Pick<Runtime, 'progress' | 'signal'>;

/** What a machine is called unless it is named: its host, and what differs from all of its processor. */
export function defaultMachine({ device = 'cpu', threads }: Surroundings, host: string = os.hostname()): string {
  const name = host.replaceAll(/[^\w.+-]+/g, '-').replace(/^[^A-Za-z0-9_]+/, '') || 'machine';
  const parts = [...(device === 'cpu' ? [] : [device]), ...(threads === undefined ? [] : [`${threads}-threads`])];
  return [name, ...parts].join('-');
}

export interface MeasureFlags extends Surroundings {
  readonly machine?: string | undefined;
  readonly all: boolean;
  /** Images at once, beside one image. */
  readonly batch: number;
  readonly rounds: number;
  readonly again: boolean;
}

/** Measures with a progress bar, until it is done or Ctrl-C. */
export function performMeasurement(run: MeasuredRun, flags: MeasureFlags): Promise<MachineMeasurements> {
  const { machine = defaultMachine(flags), batch, again, ...request } = flags;
  const batches = batch === 1 ? [1] : [1, batch];
  const runtime = { progress: createProgress(process.stderr), signal: interruptSignal() };
  return measureTrial(runtime, run, { ...request, machine, batches }, again);
}

/**
 * Measures and writes the file of the machine.
 * @param again measures what is measured already
 * @throws RequestError for a device that does not compute here, and where the machine has been measured with other settings;
 * Interrupted where the user has asked to stop
 */
export async function measureTrial(
  runtime: MeasureRuntime,
  run: MeasuredRun,
  request: MeasureRequest,
  again = false,
): Promise<MachineMeasurements> {
  const { machine, batches, rounds } = request;
  await requireDevice(request);
  const trial = await openTrial(run);
  const asked = request.all ? trial.trained : run.result.stitches.map(({ id }) => id);
  const known = again ? undefined : alreadyMeasured(run, asked, request);
  if (known) {
    runtime.progress.line(shownNote(run, known));
    return known;
  }
  const processor = os.cpus()[0]?.model.trim() ?? 'unknown';
  refuseOtherSettings(run, request, { processor, again });
  const besides = measuredBesides(run, machine, trial.trained, asked);
  if (besides.length > 0) runtime.progress.line(besidesNote(run, machine, besides));
  const ids = [...asked, ...besides];

  const folder = measurementsFile(run.folder, machine).replace(/\.json$/, '.partial');
  const fingerprint = fingerprintOf(run.result);
  const task = { trial: run.name, fingerprint, runtime: describeRuntime(request), batches, rounds, ids };
  const journal = await openMeasureJournal(folder, task);
  const label = `${run.name} on ${machine}`;
  let done = 0;
  runtime.progress.start(label, ids.length * (1 + rounds * batches.length));
  const onStep = (what: string) => {
    runtime.progress.update(++done, { now: what });
    if (runtime.signal.aborted) throw new Interrupted(`stopped in ${label}; what was measured is saved`);
  };
  const files = await exportAll(trial, ids, { folder, journal, request, onStep });
  await visitAll(files, { journal, request, onStep });
  runtime.progress.stop();

  const stitches = files.map(({ exported: _, ...stitch }) => {
    return { ...stitch, latencies: latenciesOf(journal, stitch.id, request) };
  });
  const measured: MachineMeasurements = {
    version: measurementVersion,
    machine,
    runtime: task.runtime,
    processor,
    platform: `${os.platform()} ${os.arch()}`,
    measured_at: new Date().toISOString(),
    trials: [{ trial: run.name, fingerprint, rounds, stitches }],
  };
  await writeMachine(run.folder, measured);
  await rm(folder, { recursive: true, force: true });
  return measured;
}

interface Work {
  readonly journal: MeasureJournal;
  readonly request: MeasureRequest;
  readonly onStep: (what: string) => void;
}

interface ExportedStitch extends Omit<MeasuredStitch, 'latencies'> {
  /** For each batch size. */
  readonly exported: readonly ExportedFile[];
}

/** Writes the files, and measures the memory that each stitch takes at the largest batch. */
async function exportAll(
  trial: TrainedTrial,
  ids: readonly number[],
  { folder, journal, request, onStep }: Work & { readonly folder: string },
): Promise<ExportedStitch[]> {
  const { batches, device = 'cpu' } = request;
  const stitches: ExportedStitch[] = [];
  for (const id of ids) {
    const network = trial.network(id);
    const exported = await exportedIn(folder, network, batches);
    // The memory of a GPU is not that of the process.
    const peak = device === 'cpu' ? await peakOf(journal, id, exported.at(-1)!, request) : undefined;
    const { size } = await stat(exported[0]!.file);
    const { flops } = network.result;
    stitches.push({ id, flops, file_bytes: size, ...(peak !== undefined && { peak_memory_bytes: peak }), exported });
    onStep('memory');
  }
  return stitches;
}

/** Times all files in every round. */
async function visitAll(stitches: readonly ExportedStitch[], { journal, request, onStep }: Work): Promise<void> {
  const { batches, rounds } = request;
  for (let round = 0; round < rounds; round++) {
    for (const { id, exported } of Random.of(round, 'order of a round').shuffled(stitches)) {
      for (const [index, batch] of batches.entries()) {
        if (!journal.times(id, batch, round)) {
          await journal.note({ id, batch, round, times: await visit(exported[index]!, request) });
        }
        onStep(`round ${round + 1}/${rounds}`);
      }
    }
  }
}

/** The file that `esta export` writes, for each batch size; one that is there already is whole. */
async function exportedIn(folder: string, network: StitchNetwork, batches: readonly number[]): Promise<ExportedFile[]> {
  const { crop } = network.preprocessing;
  const file = path.join(folder, `stitch-${network.result.id}.onnx`);
  if (!(await exists(file))) await writeAtomic(file, onnxModelOf(network).model);
  return batches.map((batch) => ({ file, images: [batch, crop, crop, 3] }));
}

async function peakOf(
  journal: MeasureJournal,
  id: number,
  file: ExportedFile,
  surroundings: Surroundings,
): Promise<number> {
  const known = journal.peak(id);
  if (known !== undefined) return known;
  const peak = await peakMemoryOf(file, surroundings);
  await journal.note({ id, peak });
  return peak;
}

function latenciesOf(journal: MeasureJournal, id: number, { batches, rounds }: MeasureRequest) {
  return batches.map((batch) => {
    const times = Array.from({ length: rounds }, (_, round) => journal.times(id, batch, round)!).flat();
    const digits = (value: number) => Number(value.toPrecision(5));
    return {
      batch,
      median_ms: digits(median(times)),
      p90_ms: digits(quantile(times, 0.9)),
      runs: times.length,
    };
  });
}
