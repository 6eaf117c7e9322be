/** What is asked of a cluster: decides no number. The same keys stand in a user's profile, for all experiments. */
import { z } from 'zod';
import { count, countOrZero, type DeepReadonly, field } from './fields.js';

const word = () => z.string().regex(/^[^\s#]+$/, 'expected one word');

export const launcherSchema = z.strictObject({
  partition: field(word().optional(), 'Partition of the jobs; left out: the default of the cluster.', 'sbatch'),
  account: field(word().optional(), 'Account that pays; left out: the default of the user.', 'sbatch'),
  time: field(
    z
      .string()
      .regex(/^(\d+-)?\d+(:\d{1,2}){0,2}$/, 'expected minutes, HH:MM:SS, or DAYS-HH:MM:SS, in quotes')
      .optional(),
    'Time limit of a job, as sbatch reads it: "30" (minutes), "04:00:00", "1-12:00:00"; a job that reaches it saves, and is queued again.',
    'sbatch',
  ),
  memory: field(word().optional(), 'Memory of a job: 8G.', 'sbatch'),
  cpus: field(count().optional(), 'Cores of a job, and its threads; left out: 1.', 'this project'),
  gpus: field(z.union([count(), word()]).optional(), 'GPUs of a job: 1, a100:1.', 'sbatch'),
  constraint: field(z.string().optional(), 'Features that a node must have.', 'sbatch'),
  directives: field(
    z.array(z.string().regex(/^--/, 'expected an option of sbatch, from its dashes on')).optional(),
    'Further options of sbatch: --exclude=node7, --qos=long.',
    'sbatch',
  ),
  setup: field(
    z.array(z.string()).optional(),
    'Lines of shell that a job runs first: module load nodejs.',
    'this project',
  ),
  warning_seconds: field(
    count().max(65_535).optional(),
    'Seconds before the time limit at which a job saves what it has; a step and a checkpoint must fit into them; left out: 120.',
    'sbatch --signal',
  ),
  max_requeues: field(
    countOrZero().optional(),
    'How often a job that reached its time limit is queued again, one that was preempted always is; left out: 20.',
    'our choice',
  ),
});

type Asked = DeepReadonly<z.output<typeof launcherSchema>>;

/** What neither file nor profile says. */
export const launcherDefaults = { cpus: 1, directives: [], setup: [], warning_seconds: 120, max_requeues: 20 } as const;

export type Launcher = Asked & { readonly [Key in keyof typeof launcherDefaults]: NonNullable<Asked[Key]> };
