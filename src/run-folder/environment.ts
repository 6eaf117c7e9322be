/** environment.json of a run folder: what computed it, with which command, and its trials in the order of the experiment. */
import os from 'node:os';
import path from 'node:path';
import type { Engine } from '../engine/engine.js';
import { writeAtomic } from '../shared/files.js';
import { programVersion } from '../shared/program.js';

/** @param command what was typed, for whoever wants to go on with the run */
export async function writeEnvironment(
  folder: string,
  engine: Engine,
  trials: readonly string[],
  command: string | undefined,
): Promise<void> {
  const { version: esta, ...checkout } = await programVersion();
  const environment = {
    command,
    esta,
    ...checkout,
    engine: engine.name,
    device: engine.device,
    precision: engine.precision,
    node: process.version,
    platform: `${os.platform()} ${os.arch()}`,
    cpu: os.cpus()[0]?.model,
    cores: os.cpus().length,
    memory_gib: Math.round(os.totalmem() / 2 ** 30),
    trials,
  };
  await writeAtomic(path.join(folder, 'environment.json'), `${JSON.stringify(environment, null, 2)}\n`);
}
