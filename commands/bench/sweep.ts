import { Flags } from '@oclif/core';
import { deviceFlag, EstaCommand, threadsFlag } from '../../src/shared/command.js';
import { estaCommand, formatNextStep } from '../../src/shared/next-step.js';

export default class BenchSweep extends EstaCommand {
  static override description =
    'Time the evaluation of every stitch, as SN-Net needs it: one stitch after the other, and all together, with what they have in common computed once. Random weights and images.';
  static override examples = [
    '<%= config.bin %> bench sweep',
    '<%= config.bin %> bench sweep --model vit_tiny_patch16_224 --model vit_small_patch16_224 --images 64 --json',
  ];
  static override flags = {
    model: Flags.string({
      description: 'anchors, at least two',
      multiple: true,
      default: ['vit_mini_tiny', 'vit_mini_small', 'vit_mini_base'],
    }),
    images: Flags.integer({ description: 'images to evaluate', default: 240, min: 1 }),
    batch: Flags.integer({ description: 'images in a batch', default: 64, min: 1 }),
    threads: threadsFlag,
    device: deviceFlag,
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(BenchSweep);
    const { RequestError } = await import('../../src/shared/errors.js');
    if (flags.model.length < 2) {
      throw new RequestError('one network alone cannot be stitched', 'Give --model at least twice.');
    }
    const { createEngine } = await import('../../src/engine/select.js');
    const { benchmarkSweep } = await import('../../src/bench/sweep-benchmark.js');
    const { variantNamed } = await import('../../src/models/vit/variants.js');
    const variants = flags.model.map(variantNamed).sort((a, b) => a.width - b.width);
    const engine = await createEngine('onnxruntime', { threads: flags.threads, device: flags.device });
    const timing = await benchmarkSweep(engine, variants, { images: flags.images, batchSize: flags.batch });
    await engine.dispose();
    const line = ({ one_by_one, together }: typeof timing.first_s) =>
      `one by one ${one_by_one} s, together ${together} s (${Math.round((100 * together) / one_by_one)} %)`;
    this.log(`${timing.stitches} stitches, ${timing.images} images`);
    this.log(`first time, with compiling: ${line(timing.first_s)}`);
    this.log(`again: ${line(timing.again_s)}`);
    this.log(formatNextStep({ purpose: 'The time of a training step:', command: estaCommand('bench', 'step') }));
    return { engine: engine.name, device: engine.device, ...timing };
  }
}
