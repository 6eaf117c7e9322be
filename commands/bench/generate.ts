import { Flags } from '@oclif/core';
import { deviceFlag, EstaCommand, repeatFlag, threadsFlag, weightsFlag } from '../../src/shared/command.js';

export default class BenchGenerate extends EstaCommand {
  static override description =
    'Time a language model of random weights: reading a prompt, and writing token by token with its key-value cache.';
  static override examples = [
    '<%= config.bin %> bench generate',
    '<%= config.bin %> bench generate --model tinyllama_1b --weights 8bit --prompt 256 --json',
  ];
  static override flags = {
    model: Flags.string({ description: 'architecture, such as llama_7b', default: 'llama_mini_base' }),
    weights: weightsFlag,
    batch: Flags.integer({ description: 'texts side by side', default: 1, min: 1 }),
    prompt: Flags.integer({ description: 'tokens of a prompt', default: 64, min: 1 }),
    tokens: Flags.integer({ description: 'new tokens', default: 32, min: 1 }),
    threads: threadsFlag,
    device: deviceFlag,
    repeat: repeatFlag(3),
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(BenchGenerate);
    const { createEngine } = await import('../../src/engine/select.js');
    const { benchmarkGenerate, readBandwidth } = await import('../../src/bench/language/generate-benchmark.js');
    const { requireRoom } = await import('../../src/evaluation/generation/generate.js');
    const { matmulPeak } = await import('../../src/bench/step-benchmark.js');
    const { llamaNamed } = await import('../../src/models/llama/variants.js');
    const { model, weights, batch, prompt, tokens, repeat } = flags;
    const config = llamaNamed(model);
    requireRoom(prompt, tokens, config.contextLength);
    const engine = await createEngine('onnxruntime', { threads: flags.threads, device: flags.device });
    const peak = await matmulPeak(engine);
    const bandwidth = await readBandwidth(engine);
    this.log(`matrix product: ${peak} GFLOP/s; product with a vector reads ${bandwidth} GB/s`);
    const timing = await benchmarkGenerate(engine, config, {
      ...{ storage: weights, batchSize: batch, promptTokens: prompt, newTokens: tokens, repeat },
    });
    await engine.dispose();
    const share = (part: number, whole: number) => `${Math.round((100 * part) / whole)} %`;
    const { first_token_ms, tokens_per_second, gigabytes_per_second, prompt_gflops_per_second } = timing;
    this.log(
      `${model}, ${weights}, ${(timing.params / 1e6).toPrecision(4)} million parameters in ${(timing.weight_bytes / 2 ** 20).toFixed(1)} MiB, ${batch} at once:`,
    );
    this.log(
      `prompt of ${prompt}: first token after ${first_token_ms} ms, ${timing.prompt_tokens_per_second} tokens/s, ${prompt_gflops_per_second} GFLOP/s (${share(prompt_gflops_per_second, peak)})`,
    );
    this.log(
      `then ${tokens_per_second} tokens/s, ${timing.seconds_per_token} s each; a step reads ${gigabytes_per_second} GB/s (${share(gigabytes_per_second, bandwidth)}); peak memory ${timing.peak_memory_mib} MiB`,
    );
    return {
      ...{ engine: engine.name, device: engine.device, model, weights, batch, prompt, tokens },
      ...{ matmul_gflops_per_second: peak, read_gigabytes_per_second: bandwidth },
      ...timing,
    };
  }
}
