import { Flags } from '@oclif/core';
import {
  benchEngine,
  benchEngineFlag,
  deviceFlag,
  EstaCommand,
  precisionFlag,
  repeatFlag,
  threadsFlag,
  weightsFlag,
} from '../../src/shared/command.js';
import { formatMebibytes, formatParameters } from '../../src/shared/costs/numbers.js';
import { RequestError } from '../../src/shared/errors.js';

export default class BenchGenerate extends EstaCommand {
  static override description =
    'Time a language model of random weights: reading a prompt, and writing token by token with its key-value cache.';
  static override examples = [
    '<%= config.bin %> bench generate',
    '<%= config.bin %> bench generate --model tinyllama_1b --weights 8bit --prompt 256 --json',
    '<%= config.bin %> bench generate --model llama_7b --into llama_13b --budget 8B --weights 8bit --device cuda',
  ];
  static override flags = {
    model: Flags.string({ description: 'architecture, such as llama_7b', default: 'llama_mini_base' }),
    into: Flags.string({
      description: 'a larger architecture; a stitch of both is timed, by the nearest rule',
      dependsOn: ['budget'],
    }),
    budget: Flags.string({ description: 'its parameters, about', helpValue: '8B', dependsOn: ['into'] }),
    weights: weightsFlag,
    batch: Flags.integer({ description: 'texts side by side', default: 1, min: 1 }),
    prompt: Flags.integer({ description: 'tokens of a prompt', default: 64, min: 1 }),
    tokens: Flags.integer({ description: 'new tokens', default: 32, min: 1 }),
    threads: threadsFlag,
    engine: benchEngineFlag,
    device: deviceFlag,
    precision: precisionFlag,
    repeat: repeatFlag(3),
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(BenchGenerate);
    const { createEngine } = await import('../../src/engine/select.js');
    const { benchmarkGenerate, readBandwidth } = await import('../../src/bench/language/generate-benchmark.js');
    const { requireRoom } = await import('../../src/evaluation/generation/generate.js');
    const { matmulPeak } = await import('../../src/bench/step-benchmark.js');
    const { llamaNamed } = await import('../../src/models/llama/variants.js');
    const { randomNetwork, randomOptions, randomStitch } = await import('../../src/bench/language/random-llama.js');
    const { parseBudget } = await import('../../src/shared/costs/budget.js');
    const { model, into, weights, batch, prompt, tokens, repeat, device, precision } = flags;
    const configs = [model, ...(into === undefined ? [] : [into])].map(llamaNamed);
    requireRoom(prompt, tokens, Math.min(...configs.map(({ contextLength }) => contextLength)));
    const budget = flags.budget === undefined ? undefined : parseBudget(flags.budget);
    if (budget && budget.cost !== 'params') {
      throw new RequestError(`--budget: expected parameters, as in 8B, received ${JSON.stringify(flags.budget)}`);
    }
    const choice = benchEngine(flags.engine, device);
    const engine = await createEngine(choice, { threads: flags.threads, device, precision });
    const options = randomOptions(engine, weights);
    const [first, second] = configs;
    const path =
      budget && second
        ? randomStitch([first!, second], [model, into!], budget.limit, options)
        : randomNetwork(first!, options);
    const sizes = { batchSize: batch, promptTokens: prompt, newTokens: tokens, repeat };
    const timing = await benchmarkGenerate(engine, path, sizes);
    // Afterwards: their matrices are larger than small models, whose memory is told.
    const peak = await matmulPeak(engine);
    const bandwidth = await readBandwidth(engine);
    this.log(`matrix product: ${peak} GFLOP/s; product with a vector reads ${bandwidth} GB/s`);
    await engine.dispose();
    const share = (part: number, whole: number) => `${Math.round((100 * part) / whole)} %`;
    const { first_token_ms, tokens_per_second, gigabytes_per_second, prompt_gflops_per_second } = timing;
    this.log(
      `${path.label ?? model}, ${weights}, ${formatParameters(timing.params)} in ${formatMebibytes(timing.weight_bytes)}, ${batch} at once:`,
    );
    this.log(
      `prompt of ${prompt}: first token after ${first_token_ms} ms, ${timing.prompt_tokens_per_second} tokens/s, ${prompt_gflops_per_second} GFLOP/s (${share(prompt_gflops_per_second, peak)})`,
    );
    this.log(
      `then ${tokens_per_second} tokens/s, ${timing.seconds_per_token} s each; a step reads ${gigabytes_per_second} GB/s (${share(gigabytes_per_second, bandwidth)}); peak memory ${timing.peak_memory_mib} MiB`,
    );
    return {
      ...{ engine: engine.name, device: engine.device, precision: engine.precision },
      ...{ model: path.label ?? model, weights, batch, prompt, tokens },
      ...{ matmul_gflops_per_second: peak, read_gigabytes_per_second: bandwidth },
      ...timing,
    };
  }
}
