/**
 * Where the time of ESTA steps goes on an NVIDIA card: every kernel and product of the step that `esta bench step` times.
 *
 *   node dist/data-scripts/profile-card.js                                       the steps of ViT-B, batch 64, tf32
 *   node dist/data-scripts/profile-card.js --precision mixed --batch 32 --sources kernels.txt
 *   node dist/data-scripts/profile-card.js --model vit_mini_tiny --model vit_mini_small
 *
 * The first model is the smaller anchor, the last one the larger: its stitch is stepped. --sources FILE gets the source of each kernel,
 * in the order of the table.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { estaStepSetting } from '../src/bench/esta-step-benchmark.js';
import { openCard } from '../src/engine/nvidia/card/open.js';
import { profiled, type Usage } from '../src/engine/nvidia/card/profile.js';
import { createNvidiaEngine } from '../src/engine/nvidia/engine.js';
import { variantNamed } from '../src/models/vit/variants.js';
import type { Precision } from '../src/shared/engine-names.js';

const { values: given } = parseArgs({
  options: {
    model: { type: 'string', multiple: true, default: ['vit_small_patch16_224', 'vit_base_patch16_224'] },
    batch: { type: 'string', default: '64' },
    precision: { type: 'string', default: 'tf32' },
    repeat: { type: 'string', default: '5' },
    rows: { type: 'string', default: '40' },
    sources: { type: 'string' },
  },
});

const { card, usage } = profiled(await openCard());
const sources = new Map<string, string>();
const kept: typeof card = {
  ...card,
  compile: (source, names) => {
    const texts = source.split('extern "C" ');
    for (const name of names) sources.set(name, texts.find((text) => text.includes(` ${name}(`)) ?? '');
    return card.compile(source, names);
  },
};
const engine = await createNvidiaEngine({ card: kept, precision: given.precision as Precision });
const variants = given.model.map(variantNamed);
const { step } = estaStepSetting(engine, variants, { batchSize: Number(given.batch), rank: 8 });
const repeat = Number(given.repeat);
for (let warm = 0; warm < 2; warm++) await step(variants.length - 1);
await usage();
for (let round = 0; round < repeat; round++) await step(variants.length - 1);
const rows = await usage();
const total = rows.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
const line = ({ what, count, milliseconds, teraflops }: Usage) => {
  const [each, share] = [(milliseconds / repeat).toFixed(3), ((100 * milliseconds) / total).toFixed(1)];
  return `${each.padStart(9)} ${share.padStart(5)} ${String(count / repeat).padStart(6)} ${(teraflops?.toFixed(1) ?? '').padStart(8)}  ${what}`;
};
const [first, shown] = ['ms a step     %  count TFLOP/s', rows.slice(0, Number(given.rows))];
process.stdout.write(`${card.name}, ${engine.precision}, ${(total / repeat).toFixed(2)} ms a step\n${first}\n`);
for (const row of shown) process.stdout.write(`${line(row)}\n`);
if (given.sources !== undefined) {
  const texts = rows
    .filter(({ what }) => sources.has(what))
    .map((row) => `// ${line(row)}\n${sources.get(row.what)}\n`);
  writeFileSync(given.sources, texts.join('\n'));
}
await engine.dispose();
