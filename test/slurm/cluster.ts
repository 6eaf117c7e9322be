/**
 * A Slurm of one node on this host, for tests: munged, slurmctld and slurmd with keys, ports, state and logs of their own, and
 * without cgroups. Needs root, and Debian's slurmctld, slurmd, slurm-client and munge.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface Cluster {
  /** For every command of Slurm, and whatever calls them. */
  readonly environment: NodeJS.ProcessEnv;
  /** Runs a command of Slurm. @returns its standard output */
  slurm(program: string, ...args: readonly string[]): Promise<string>;
  /** Pid of the daemon that starts jobs. */
  readonly slurmd: number;
  stop(): Promise<void>;
}

/** Why there can be no cluster here; undefined: there can. */
export function whyNoSlurm(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, which starts jobs';
  const missing = ['munged', 'slurmctld', 'slurmd', 'sbatch'].filter((program) => !isThere(program));
  if (missing.length === 0) return undefined;
  return `${missing.join(', ')} not installed: apt-get install slurmctld slurmd slurm-client munge`;
}

function isThere(program: string): boolean {
  return spawnSync('which', [program], { env: withSbin }).status === 0;
}

const withSbin = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };

/** @param arraySize MaxArraySize; arrays of more tasks are refused */
export async function startCluster(arraySize: number): Promise<Cluster> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'esta-slurm-'));
  await chmod(folder, 0o755);
  const file = (name: string) => path.join(folder, name);
  const [controller, node] = [await freePort(), await freePort()];
  await writeFile(file('munge.key'), Buffer.from(Array.from({ length: 1024 }, (_, index) => (index * 131) % 251)), {
    mode: 0o400,
  });
  const host = os.hostname();
  await writeFile(file('slurm.conf'), configuration({ host, folder, controller, node, arraySize }));
  const environment = { ...withSbin, SLURM_CONF: file('slurm.conf'), XDG_CONFIG_HOME: file('config') };
  const children: ChildProcess[] = [];
  const start = (program: string, ...args: readonly string[]) => {
    const child = spawn(program, args, { env: environment, stdio: 'ignore' });
    children.push(child);
    return child;
  };
  const munge = ['key-file', 'munge.key', 'socket', 'munge.socket', 'pid-file', 'munge.pid', 'log-file', 'munge.log'];
  const options = munge.map((word, index) => (index % 2 === 0 ? `--${word}` : file(word)));
  start('munged', '--foreground', '--force', ...options, '--seed-file', file('munge.seed'));
  await setTimeout(500);
  start('slurmctld', '-D', '-c', '-L', file('slurmctld.log'));
  const daemon = start('slurmd', '-D', '-c', '-N', host, '-L', file('slurmd.log'));
  const slurm = async (program: string, ...args: readonly string[]) =>
    (await execute(program, [...args], { env: environment })).stdout;
  const cluster: Cluster = {
    ...{ environment, slurm, slurmd: daemon.pid! },
    async stop() {
      for (const child of children.toReversed()) child.kill('SIGTERM');
      await setTimeout(1500);
      for (const child of children) child.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
  for (let tries = 0; tries < 120; tries++) {
    const nodes = await slurm('sinfo', '-h', '-o', '%T').catch(() => '');
    if (nodes.includes('idle')) return cluster;
    await setTimeout(500);
  }
  const log = (
    await Promise.all(['slurmctld.log', 'slurmd.log'].map((name) => readFile(file(name), 'utf8').catch(() => '')))
  ).join('\n');
  await cluster.stop();
  throw new Error(`the cluster does not start:\n${log}`);
}

interface Layout {
  readonly host: string;
  readonly folder: string;
  readonly controller: number;
  readonly node: number;
  readonly arraySize: number;
}

function configuration({ host, folder, controller, node, arraySize }: Layout): string {
  return `ClusterName=esta
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controller}
SlurmdPort=${node}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=${folder}/munge.socket
CredType=cred/munge
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MaxArraySize=${arraySize}
ReturnToService=2
SwitchType=switch/none
MpiDefault=none
KillWait=20
MinJobAge=600
SchedulerParameters=sched_interval=1,sched_min_interval=100000,batch_sched_delay=0,defer_batch,requeue_delay=1
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${os.availableParallelism()} RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=${host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=${host} MaxTime=INFINITE State=UP PriorityTier=2
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
