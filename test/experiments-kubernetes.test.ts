/** The manifest for Kubernetes: an Indexed Job over the items of an experiment, as batch/v1 wants it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import Run from '../commands/run.js';
import { loadExperiment } from '../src/config/load.js';
import { itemsOfPlan } from '../src/experiment/items/item.js';
import { planOf } from '../src/experiment/plan.js';
import { projectRoot } from './command-line.js';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: {
    readonly completionMode: string;
    readonly completions: number;
    readonly parallelism: number;
    readonly template: {
      readonly spec: {
        readonly restartPolicy: string;
        readonly containers: readonly { readonly args: readonly string[] }[];
      };
    };
  };
}

test('an index for each item of the experiment, and a command that the program understands', async () => {
  const text = await readFile(path.join(projectRoot, 'experiments', 'kubernetes-job.yml'), 'utf8');
  const { apiVersion, kind, spec } = parse(text) as Manifest;
  assert.deepEqual([apiVersion, kind, spec.completionMode], ['batch/v1', 'Job', 'Indexed']);
  // backoffLimitPerIndex and podFailurePolicy need it.
  assert.equal(spec.template.spec.restartPolicy, 'Never');
  const [, file, flags] = /^exec esta run (\S+) (.*)$/.exec(spec.template.spec.containers[0]!.args[0]!)!;
  const { config } = await loadExperiment(file!);
  const items = itemsOfPlan(await planOf(config, 'runs'));
  assert.equal(spec.completions, items.length);
  assert.match(flags!, /--only "\$JOB_COMPLETION_INDEX" --wait$/);
  for (const [, name] of flags!.matchAll(/--([a-z-]+)/g)) assert.ok(name! in Run.flags, name);
  // Whatever an item waits for has a smaller index: pods are started in their order, so that one that waits blocks nothing.
  for (const [index, { waitsFor }] of items.entries()) {
    for (const id of waitsFor) assert.ok(items.findIndex((item) => item.id === id) < index);
  }
});
