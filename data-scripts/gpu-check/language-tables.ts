/** What the stage of language models has measured, beside the paper (supplement, Figures G and H; an A100). */
import type { GenerateTiming } from '../../src/bench/language/generate-benchmark.js';

export interface Generation extends GenerateTiming {
  readonly model: string;
  readonly weights: string;
  readonly precision: string;
  readonly prompt: number;
}

export interface TextSteps {
  readonly precision: string;
  readonly batch: number;
  readonly tokens: number;
  readonly results: readonly { readonly model: string; readonly forward_ms: number; readonly step_ms: number }[];
}

/** Seconds a token of the paper, and what this program is to reach, by billions of parameters as the paper rounds them. */
const published: Readonly<Record<string, readonly [paper: number, bar: number]>> = {
  7: [0.035, 0.01],
  8: [0.037, 0.011],
  11: [0.041, 0.015],
  13: [0.043, 0.018],
};

export const generationColumns = [
  'Model',
  'Parameters',
  'Prompt (tokens/s)',
  'Token (s)',
  'Paper',
  'Bar',
  'Reads (GB/s)',
];

/** The smallest first. */
export function generationRows(generations: readonly Generation[]): string[][] {
  return generations
    .toSorted((a, b) => a.params - b.params)
    .map(({ model, weights, params, prompt_tokens_per_second, seconds_per_token, gigabytes_per_second }) => {
      const [paper, bar] = published[Math.round(params / 1e9)] ?? [];
      return [
        `${model}, ${weights}`,
        params >= 1e9 ? `${(params / 1e9).toFixed(2)} B` : `${(params / 1e6).toFixed(2)} M`,
        String(prompt_tokens_per_second),
        String(seconds_per_token),
        ...[paper, bar].map((seconds) => seconds?.toFixed(3) ?? '-'),
        String(gigabytes_per_second),
      ];
    });
}

export const stepColumns = ['Model', 'Precision', 'Texts x tokens', 'Forward (ms)', 'Step (ms)', 'Trained tokens/s'];

export function stepRows(steps: readonly TextSteps[]): string[][] {
  return steps.flatMap(({ precision, batch, tokens, results }) =>
    results.map(({ model, forward_ms, step_ms }) => [
      ...[model, precision, `${batch} x ${tokens}`, String(forward_ms), String(step_ms)],
      ((1000 * batch * tokens) / step_ms).toFixed(0),
    ]),
  );
}
