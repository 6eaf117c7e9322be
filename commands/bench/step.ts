import { Flags } from '@oclif/core';
import { EstaCommand } from '../../src/shared/command.js';

export default class BenchStep extends EstaCommand {
  static override description =
    'Time one adaptation step: 12 frozen ViT blocks, 197 tokens, low-rank updates on q, k and v; forward, and forward + backward.';
  static override examples = [
    '<%= config.bin %> bench step',
    '<%= config.bin %> bench step --model vit_base_patch16_224 --json',
  ];
  static override flags = {
    model: Flags.string({
      description: 'architectures to time',
      multiple: true,
      default: ['vit_tiny_patch16_224', 'vit_small_patch16_224', 'vit_base_patch16_224'],
    }),
    batch: Flags.integer({ description: 'images in a batch', default: 8, min: 1 }),
    rank: Flags.integer({ description: 'rank of the low-rank updates', default: 8, min: 1 }),
    threads: Flags.integer({ description: 'threads of one operator', default: 2, min: 1 }),
    repeat: Flags.integer({ description: 'timed repetitions; the median counts', default: 5, min: 1 }),
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(BenchStep);
    const { createOnnxEngine } = await import('../../src/engine/onnx/engine.js');
    const { benchmarkStep, matmulPeak } = await import('../../src/evaluation/step-benchmark.js');
    const { variantNamed } = await import('../../src/models/variants.js');
    const variants = flags.model.map(variantNamed);
    const engine = await createOnnxEngine({ threads: flags.threads });
    const results = [];
    const peak = await matmulPeak(engine);
    this.log(`matrix product: ${peak} GFLOP/s`);
    for (const variant of variants) {
      const options = { batchSize: flags.batch, rank: flags.rank, repeat: flags.repeat };
      const timing = await benchmarkStep(engine, variant, options);
      results.push(timing);
      this.log(
        `${timing.model}: forward ${timing.forward_ms} ms, step ${timing.step_ms} ms, ${timing.gflops_per_second} GFLOP/s (${Math.round((100 * timing.gflops_per_second) / peak)} %), peak memory ${timing.peak_memory_mib} MiB`,
      );
    }
    await engine.dispose();
    return {
      engine: engine.name,
      device: engine.device,
      batch: flags.batch,
      rank: flags.rank,
      matmul_gflops_per_second: peak,
      results,
    };
  }
}
