import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Interpolation } from '../../../src/data/images/preprocessing.js';
import { resample, type Window } from '../../../src/data/images/resample.js';

interface PillowCases {
  readonly width: number;
  readonly height: number;
  readonly pixels: number[];
  readonly cases: { interpolation: Interpolation; window: Window; size: number; values: number[] }[];
}

// from the root of the project, where the tests run: JSON is not copied into the compiled tree
const pillow = JSON.parse(readFileSync('test/fixtures/data/resample-pillow.json', 'utf8')) as PillowCases;
const image = { width: pillow.width, height: pillow.height, pixels: Uint8Array.from(pillow.pixels) };

test('windows are resampled as by Pillow', () => {
  for (const { interpolation, window, size, values } of pillow.cases) {
    const output = new Float32Array(size * size * 3);
    resample(image, window, size, interpolation, false, output);
    assert.deepEqual([...output], values, `${interpolation} ${JSON.stringify(window)} ${size}`);
  }
});

test('flip mirrors every row, of copied and of resampled windows', () => {
  for (const size of [4, 5]) {
    const window = { left: 1, top: 2, width: 4, height: 4 };
    const plain = new Float32Array(size * size * 3);
    const flipped = new Float32Array(size * size * 3);
    resample(image, window, size, 'bilinear', false, plain);
    resample(image, window, size, 'bilinear', true, flipped);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const at = (y * size + x) * 3;
        const mirrored = (y * size + size - 1 - x) * 3;
        assert.deepEqual([...flipped.subarray(at, at + 3)], [...plain.subarray(mirrored, mirrored + 3)]);
      }
    }
  }
});
