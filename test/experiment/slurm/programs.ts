/** Programs in place of Slurm's, for tests of what is asked of them and what is made of their answers. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { type Experiment, experimentSchema } from '../../../src/config/schema/experiment.js';

/** Two anchors, one trial, a grid of two rates: four items. */
export const launched = (launcher?: object): Experiment =>
  experimentSchema.parse({
    name: 'launched',
    anchors: [
      { name: 'Ti', architecture: 'vit_mini_tiny' },
      { name: 'S', architecture: 'vit_mini_small' },
    ],
    data: { kind: 'species', classes: 2 },
    adaptation: { ranks: [2, 2] },
    training: { epochs: 1, base_learning_rates: [0.1, 0.2] },
    ...(launcher && { launcher }),
  });

const before = { PATH: process.env['PATH'], XDG_CONFIG_HOME: process.env['XDG_CONFIG_HOME'] };

/** Programs by name, in shell; `$folder` is where they may write. PATH and the profile are as before after the test. */
export function withPrograms(t: TestContext, programs: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-launch-'));
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\nfolder=${folder}\n${text}\n`);
    chmodSync(path.join(folder, name), 0o755);
  }
  process.env['PATH'] = `${folder}:${before.PATH}`;
  process.env['XDG_CONFIG_HOME'] = path.join(folder, 'config');
  t.after(() => {
    process.env['PATH'] = before.PATH;
    if (before.XDG_CONFIG_HOME === undefined) delete process.env['XDG_CONFIG_HOME'];
    else process.env['XDG_CONFIG_HOME'] = before.XDG_CONFIG_HOME;
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Gives jobs numbers from 101, keeps how it was called, and the script of each. */
export const sbatch = `echo "$*" >> $folder/calls; job=$((100 + $(wc -l < $folder/calls))); cat > $folder/script-$job; echo $job`;
