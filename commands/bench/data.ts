import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { Flags } from '@oclif/core';
import { EstaCommand } from '../../src/shared/command.js';
import { estaCommand, formatNextStep } from '../../src/shared/next-step.js';

export default class BenchData extends EstaCommand {
  static override summary = 'Time decoding and augmenting JPEG images';
  static override description =
    'Resizing, random crops, flips and normalisation, as experiments train. The first epoch includes what the loader does before it: decoding all images that fit into memory.';
  static override examples = [
    '<%= config.bin %> bench data',
    '<%= config.bin %> bench data --folder data/cub/images --threads 4 --cache 0 --json',
  ];
  static override flags = {
    folder: Flags.string({ helpValue: 'DIR', description: 'JPEG images to read; left out: some are drawn, 500 x 375' }),
    images: Flags.integer({ description: 'images to read at most', default: 256, min: 1 }),
    size: Flags.integer({ description: 'side in pixels of what the network sees', default: 224, min: 1 }),
    batch: Flags.integer({ description: 'images in a batch', default: 32, min: 1 }),
    threads: Flags.integer({ description: 'threads that decode and augment', default: 1, min: 1 }),
    bytes: Flags.boolean({ description: 'leave normalisation to the device, as training on a card does' }),
    epochs: Flags.integer({ description: 'times that all images are read', default: 3, min: 1 }),
    cache: Flags.integer({
      helpValue: 'MIB',
      description: 'memory for decoded images; 0 decodes them in every epoch',
      default: 2048,
      min: 0,
    }),
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(BenchData);
    const { benchmarkData, drawJpegs, listJpegs } = await import('../../src/bench/data-benchmark.js');
    const { folder, images, size, batch, threads, epochs, cache, bytes } = flags;
    const drawn = folder === undefined ? await mkdtemp(path.join(tmpdir(), 'esta-bench-data-')) : undefined;
    // However the process ends, by a signal, too.
    if (drawn) process.once('exit', () => rmSync(drawn, { recursive: true, force: true }));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => process.exit(128 + constants.signals[signal]));
    }
    const files = drawn ? await drawJpegs(drawn, images) : await listJpegs(folder!, images);
    const options = { batchSize: batch, size, threads, epochs, bytes, cacheBytes: cache * 2 ** 20 };
    const results = await benchmarkData(files, options);
    for (const { epoch, images_per_second, images_per_cpu_second, cache_hit_rate } of results) {
      const hits = `${Math.round(100 * cache_hit_rate)} % from memory`;
      this.log(`epoch ${epoch + 1}: ${images_per_second} images/s (${images_per_cpu_second} a CPU second), ${hits}`);
    }
    this.log(
      formatNextStep({
        purpose: 'How many images a second training asks for:',
        command: estaCommand('bench', 'step'),
      }),
    );
    return { images: files.length, folder: folder ?? null, size, batch, threads, bytes, cache_mib: cache, results };
  }
}
