/** What a device can pay for one image: `5ms`, `20MB`, `0.1GFLOPs`, `8M params`; a plain number counts GFLOPs. */
import { nearest, RequestError } from '../errors.js';
import { type Cost, formatCost } from './format-cost.js';

export interface Budget {
  readonly cost: Cost;
  /** At most so many milliseconds, bytes, FLOPs or parameters. */
  readonly limit: number;
}

interface Unit {
  readonly cost: Cost;
  readonly size: number;
}

const billions = 'B';

/** Names as people write them; they are compared without case and spaces. MB is a million bytes, MiB 2^20. */
const units: Readonly<Record<string, Unit>> = {
  ...unitsOf('latency', '', { µs: 1e-3, us: 1e-3, ms: 1, s: 1e3 }),
  ...unitsOf('size', '', { KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }),
  ...unitsOf('flops', 'FLOPs', { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 }),
  ...unitsOf('params', ' params', { '': 1, K: 1e3, M: 1e6, B: 1e9 }),
  // As language models are called: 8B. Nobody means eight bytes.
  [billions]: { cost: 'params', size: 1e9 },
};

const unitsByKey = new Map(Object.entries(units).map(([name, unit]) => [keyOf(name), unit]));

/** More billions of parameters than any network has: whoever writes so many means bytes. */
const mostBillions = 1e4;

/** More GFLOPs than any network of images needs: whoever writes so many means FLOPs. */
const mostGigaFlops = 1e5;

const examples = '5ms, 20MB, 0.1GFLOPs, 8Mparams';

/** @throws RequestError where it is no number above 0, has a unit that is not known, or cannot be meant */
export function parseBudget(text: string): Budget {
  const [, digits = '', name = ''] = /^\s*(\d*\.?\d+(?:e[+-]?\d+)?)\s*(.*?)\s*$/i.exec(text) ?? [];
  const value = Number(digits);
  if (!(value > 0 && Number.isFinite(value))) {
    const received = JSON.stringify(text);
    throw new RequestError(
      `--budget: expected a number above 0 with a unit, as in ${examples}, or plain GFLOPs, received ${received}`,
    );
  }
  if (name === '') return { cost: 'flops', limit: plausible(value) * 1e9 };
  const unit = unitsByKey.get(keyOf(name));
  if (unit === units[billions]) return { cost: unit!.cost, limit: plausibleBillions(value) * unit!.size };
  if (unit) return { cost: unit.cost, limit: value * unit.size };
  const known = Object.keys(units).map((known) => known.trim());
  const meant = nearest(name, known);
  throw new RequestError(
    `--budget: ${JSON.stringify(name)} is no unit that is known here${meant ? `; did you mean ${value}${meant}?` : ''}`,
    `Allowed are ${known.join(', ')}, as in ${examples}; a plain number counts GFLOPs.`,
  );
}

function plausible(gigaFlops: number): number {
  if (gigaFlops <= mostGigaFlops) return gigaFlops;
  throw new RequestError(
    `--budget: a plain number counts GFLOPs an image, and no network here needs ${gigaFlops} of them`,
    `Did you mean ${formatCost('flops', gigaFlops).replace(' ', '')}? Write the unit: ${examples}.`,
  );
}

function plausibleBillions(value: number): number {
  if (value <= mostBillions) return value;
  throw new RequestError(
    `--budget: B counts billions of parameters, and no network here has ${value} of them`,
    `Did you mean ${formatCost('size', value).replace(' ', '')}? Write bytes as KB, MB or KiB, as in ${examples}.`,
  );
}

function unitsOf(cost: Cost, name: string, prefixes: Readonly<Record<string, number>>): Record<string, Unit> {
  return Object.fromEntries(Object.entries(prefixes).map(([prefix, size]) => [prefix + name, { cost, size }]));
}

/** `M params`, `mparam` and `MParameters` are one. */
function keyOf(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/\s+/g, '')
    .replace('μ', 'µ')
    .replace(/(params|param|parameters)$/, 'params')
    .replace(/flops?$/, 'flops');
}
