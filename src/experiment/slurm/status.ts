/** `esta run FILE --status`: what the run folder says of each item, beside what Slurm says of its job. */
import type { Experiment } from '../../config/schema/experiment.js';
import type { Variant } from '../../config/trials.js';
import { renderText } from '../../report/render/render-text.js';
import type { Table } from '../../report/render/table.js';
import { type ListedItem, listItems, stateCell } from '../items/listing.js';
import { ended, queued } from './commands.js';
import { jobsOf, tasksByItem } from './submitted.js';

/** `--status --json` prints it as it is. */
export interface ClusterStatus {
  readonly run: string;
  readonly items: readonly (Pick<ListedItem, 'id' | 'state' | 'holder' | 'error'> & {
    /** "12_3"; left out: never submitted. */
    readonly job?: string;
    /** PENDING (Priority), RUNNING, TIMEOUT; left out where neither queue nor accounts know it. */
    readonly job_state?: string;
  })[];
}

/** @throws RequestError where Slurm is not there */
export async function clusterStatus(
  experiment: Experiment,
  runFolder: string,
  variants?: readonly Variant[],
): Promise<ClusterStatus> {
  const { items } = await listItems(experiment, runFolder, 1, variants);
  const tasks = await tasksByItem(runFolder);
  const queue = await queued();
  const jobs = jobsOf(tasks.values());
  const accounts = jobs.length > 0 ? await ended(jobs) : undefined;
  return {
    run: runFolder,
    items: items.map(({ id, state, holder, error }) => {
      const job = tasks.get(id);
      const jobState = job && (queue.get(job) ?? accounts?.get(job));
      return {
        ...{ id, state },
        ...(holder !== undefined && { holder }),
        ...(error !== undefined && { error }),
        ...(job !== undefined && { job }),
        ...(jobState !== undefined && { job_state: jobState }),
      };
    }),
  };
}

/** @param width characters of a line; default unlimited */
export function formatStatus({ items }: ClusterStatus, width?: number): string {
  const table: Table = {
    name: 'status',
    title: `Items: ${items.filter(({ state }) => state === 'finished').length} of ${items.length} finished`,
    columns: [
      { key: 'id', label: 'Item', kind: 'text' },
      { key: 'state', label: 'State', kind: 'text' },
      { key: 'job', label: 'Job', kind: 'text' },
      { key: 'slurm', label: 'Slurm', kind: 'text' },
    ],
    rows: items.map((item) => ({
      cells: { id: item.id, state: stateCell(item), job: item.job ?? '–', slurm: item.job_state ?? '–' },
    })),
    notes: [],
  };
  return renderText(table, width);
}
