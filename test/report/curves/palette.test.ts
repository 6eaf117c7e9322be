import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areDeployed, type PaletteCandidate } from '../../../src/report/curves/palette.js';
import type { StitchResult } from '../../../src/run-folder/result.js';

let id = 0;
function candidate(accuracy: number, { segments = 2, bin }: { segments?: 1 | 2; bin?: number } = {}): PaletteCandidate {
  const path = Array.from({ length: segments }, () => ({ anchor: 'S', blocks: [0, 12] as const }));
  const flops = ++id;
  const stitch = { id, path, flops, params: 1, trainable: 1, accuracy } as StitchResult;
  return { flops, accuracy, bin, stitch };
}

test('without bins a stitch is deployed where it is better than all that cost less', () => {
  const accuracies = [60, 59, 60, 61, 61, 60.5, 70];
  const deployed = areDeployed(accuracies.map((accuracy) => candidate(accuracy)));
  assert.deepEqual(deployed, [true, false, false, true, false, false, true]);
});

test('anchors alone are all deployed, whatever their accuracies', () => {
  const anchors = [70, 60, 65].map((accuracy) => candidate(accuracy, { segments: 1 }));
  assert.deepEqual(areDeployed(anchors), [true, true, true]);
  // Beside a stitch they are candidates like others.
  assert.deepEqual(areDeployed([...anchors, candidate(60)]), [true, false, false, false]);
});

test('with bins: what was chosen for one, and the largest anchor, but no other', () => {
  const candidates = [
    candidate(60, { segments: 1 }), // the smallest anchor
    candidate(50, { bin: 0 }),
    candidate(90),
    candidate(55, { bin: 1 }),
    candidate(40, { segments: 1 }),
  ];
  assert.deepEqual(areDeployed(candidates), [false, true, false, true, true]);
});
