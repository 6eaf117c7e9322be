/** What was recorded is compared with what is asked for, also by later versions of the program. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import { computationIdentity } from '../../../src/run-folder/identity/input-identity.js';
import { refuseOtherIdentity } from '../../../src/run-folder/identity/recorded.js';
import { sharedSettings, type TrialSettings } from '../../../src/run-folder/identity/trial-identity.js';
import { RequestError } from '../../../src/shared/errors.js';

/** @param sampling what the file says of it */
function settingsOf(sampling: object): TrialSettings {
  const experiment = experimentSchema.parse({
    name: 'x',
    anchors: ['Ti', 'S'].map((name) => ({ name, architecture: `vit_${name}` })),
    data: { kind: 'species' },
    adaptation: { ranks: [1, 1] },
    sampling,
  });
  return {
    settings: sharedSettings(experiment),
    computation: computationIdentity({ name: 'onnxruntime', device: 'cpu, 2 threads', precision: 'float32' }),
  };
}

test('a key that came later has its default in what was recorded before', () => {
  const now = settingsOf({});
  const { sampling, ...settings } = now.settings as { readonly sampling: Record<string, unknown> };
  const { temperature: _, ...before } = sampling;
  const recorded = { ...now, settings: { ...settings, sampling: before }, weights: {} };
  refuseOtherIdentity('trials/x', recorded, now);
  assert.throws(
    () => refuseOtherIdentity('trials/x', recorded, settingsOf({ temperature: 2 })),
    (error) => error instanceof RequestError && /\n {2}sampling\.temperature: there 1, now 2$/.test(error.message),
  );
});

test('the number of threads is no difference, another device is', () => {
  const now = settingsOf({});
  const recorded = { ...now, weights: {} };
  const on = (device: string) => ({
    ...now,
    computation: computationIdentity({ name: 'onnxruntime', device, precision: 'float32' }),
  });
  refuseOtherIdentity('trials/x', recorded, on('cpu, 8 threads'));
  assert.throws(() => refuseOtherIdentity('trials/x', recorded, on('webgpu')), /device: there "cpu", now "webgpu"/);
});
