import { Flags } from '@oclif/core';
import type { Parity } from '../../src/bench/parity.js';
import { benchEngine, benchEngineFlag, deviceFlag, EstaCommand, precisionFlag } from '../../src/shared/command.js';

type Result = Parity & { readonly engine: string; readonly device: string; readonly precision: string };

export default class BenchParity extends EstaCommand {
  static override summary = 'Compare a training step on a device with the same step on the CPU';
  static override description =
    'One whole ESTA step of a small stitched network of random weights: losses, and the gradients of everything that is trained. Exit status 1 where they differ by more than the precision explains.';
  static override examples = [
    '<%= config.bin %> bench parity --device cuda',
    '<%= config.bin %> bench parity --device cuda --precision float32 --json',
  ];
  static override flags = {
    model: Flags.string({
      description: 'anchors, at least two',
      multiple: true,
      default: ['vit_mini_tiny', 'vit_mini_small'],
    }),
    threads: Flags.integer({ description: 'threads of one operator, on the CPU', default: 2, min: 1 }),
    engine: benchEngineFlag,
    device: deviceFlag,
    precision: precisionFlag,
  };

  override async run(): Promise<Result> {
    const { model, threads, engine: asked, device, precision } = (await this.parse(BenchParity)).flags;
    const { RequestError } = await import('../../src/shared/errors.js');
    if (model.length < 2)
      throw new RequestError('one network alone cannot be stitched', 'Give --model at least twice.');
    const { createEngine } = await import('../../src/engine/select.js');
    const { compareSteps } = await import('../../src/bench/parity.js');
    const { variantNamed } = await import('../../src/models/vit/variants.js');
    const variants = model.map(variantNamed).sort((a, b) => a.width - b.width);
    const choice = benchEngine(asked, device);
    const engine = await createEngine(choice, { threads, device, precision });
    const reference = await createEngine('onnxruntime', { threads, device: 'cpu' });
    const parity = await compareSteps(engine, reference, variants);
    const { loss, gradients, worst, tolerance, agrees } = parity;
    const digits = (number: number) => number.toExponential(1);
    this.log(
      `${engine.device}, ${engine.precision}: loss off by ${digits(loss)}, gradients by ${digits(gradients)} of their length (at most ${digits(tolerance)}), most of all ${worst.tensor || 'none'} (${digits(worst.gradient)})`,
    );
    if (!agrees) {
      this.log('The device does not compute what the CPU does.');
      process.exitCode = 1;
    }
    await engine.dispose();
    await reference.dispose();
    return { engine: engine.name, device: engine.device, precision: engine.precision, ...parity };
  }
}
