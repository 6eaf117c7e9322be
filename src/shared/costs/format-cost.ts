/** What networks cost, as people read it. */

/** What a device pays for one image: its time, the size of the file, multiply-accumulates, parameters. */
export type Cost = 'latency' | 'size' | 'flops' | 'params';

/** `5 ms`, `20 MB`, `0.1 GFLOPs`, `8 M params`: three digits, in the largest unit that leaves one before the point. */
export function formatCost(cost: Cost, value: number): string {
  const [first, ...larger] = scales[cost] as [readonly [string, number], ...(readonly [string, number])[]];
  const [name, size] = larger.findLast(([, size]) => value >= size * 0.9995) ?? first;
  const scaled = value / size;
  return `${Number(scaled.toPrecision(scaled < 1000 ? 3 : 6))} ${name}`;
}

/** Units that costs are printed in, each from its own size on. */
const scales: Readonly<Record<Cost, readonly (readonly [name: string, size: number])[]>> = {
  latency: [
    ['ms', 1],
    ['s', 1e3],
  ],
  size: [
    ['KB', 1e3],
    ['MB', 1e6],
    ['GB', 1e9],
  ],
  flops: [
    ['FLOPs', 1],
    ['MFLOPs', 1e6],
    ['GFLOPs', 1e9],
    ['TFLOPs', 1e12],
  ],
  params: [
    ['params', 1],
    ['K params', 1e3],
    ['M params', 1e6],
    ['B params', 1e9],
  ],
};
