/**
 * Where the time of a card goes: every kernel, product and copy between two marks of its clock. Recordings are not made but repeated call by
 * call, so that each is seen. A kernel that the card waits for seems longer, by some microseconds.
 */
import type { Card, Product, ProductPrecision } from './card.js';
import type { Clock, Mark } from './clock.js';

export interface Usage {
  /** Name of a kernel, form of a product, or `copy`. */
  readonly what: string;
  readonly count: number;
  /** In all. */
  readonly milliseconds: number;
  /** Multiplications and additions of products per second, in 10^12. */
  readonly teraflops?: number;
}

interface Span {
  readonly what: string;
  readonly start: Mark;
  readonly end: Mark;
  readonly flops: number;
}

export interface Profiled {
  readonly card: Card;
  /** Of what was queued since the last call, the longest first. Waits for it. */
  usage(): Promise<Usage[]>;
}

export function profiled(card: Card & { readonly clock: Clock }): Profiled {
  const { clock } = card;
  let spans: Span[] = [];
  let recording: (() => void)[] | undefined;
  const timed = (what: string, flops: number, work: () => void) => {
    const run = () => {
      const start = clock.mark();
      work();
      spans.push({ what, start, end: clock.mark(), flops });
    };
    if (recording) recording.push(run);
    else run();
  };
  const self: Card = {
    name: card.name,
    computeCapability: card.computeCapability,
    memory: () => card.memory(),
    allocate: (bytes) => card.allocate(bytes),
    release: (address) => card.release(address),
    upload: (to, from) => card.upload(to, from),
    download: (from, to) => card.download(from, to),
    copy: (to, from, bytes) => timed('copy', 0, () => card.copy(to, from, bytes)),
    compile: (source, names) => card.compile(source, names),
    launch: (kernel, blocks, threads, addresses) => {
      const given = [...addresses];
      timed(kernel.name, 0, () => card.launch(kernel, blocks, threads, given));
    },
    multiply: (product, precision) => {
      const { m, n, k, count } = product;
      timed(formOf(product, precision), 2 * m * n * k * count, () => card.multiply(product, precision));
    },
    record: (work) => {
      const calls: (() => void)[] = [];
      recording = calls;
      try {
        work();
      } finally {
        recording = undefined;
      }
      return {
        launch: () => {
          for (const call of calls) call();
        },
        release: () => {},
      };
    },
    synchronise: () => card.synchronise(),
    dispose: () => card.dispose(),
  };
  const usage = async () => {
    await card.synchronise();
    const sums = summed(spans, clock);
    spans = [];
    clock.reset();
    return sums;
  };
  return { card: self, usage };
}

function summed(spans: readonly Span[], clock: Clock): Usage[] {
  const sums = new Map<string, { count: number; milliseconds: number; flops: number }>();
  for (const { what, start, end, flops } of spans) {
    const sum = sums.get(what) ?? { count: 0, milliseconds: 0, flops: 0 };
    sums.set(what, sum);
    sum.count++;
    sum.milliseconds += clock.between(start, end);
    sum.flops += flops;
  }
  return [...sums]
    .map(([what, { count, milliseconds, flops }]) => ({
      ...{ what, count, milliseconds },
      ...(flops > 0 && { teraflops: flops / milliseconds / 1e9 }),
    }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

/** E.g. `mixed 12608x768x3072, a bfloat16, b' bfloat16, c float32`; a prime says that the transpose is stored. */
function formOf({ m, n, k, count, a, b, c }: Product, precision: ProductPrecision): string {
  const operands = Object.entries({ a, b, c }).map(
    ([name, { type, transposed, table }]) =>
      `${name}${transposed ? "'" : ''} ${type}${table === undefined ? '' : ' by table'}`,
  );
  return `${precision} ${count > 1 ? `${count} of ` : ''}${m}x${n}x${k}, ${operands.join(', ')}`;
}
