import { Flags } from '@oclif/core';
import type { StepTiming } from '../../src/bench/step-benchmark.js';
import {
  benchEngine,
  benchEngineFlag,
  deviceFlag,
  EstaCommand,
  precisionFlag,
  refuseIdle,
  repeatFlag,
  threadsFlag,
  weightsFlag,
} from '../../src/shared/command.js';
import { estaCommand, formatNextStep } from '../../src/shared/next-step.js';

async function cardMemory() {
  const { describeDriver } = await import('../../src/engine/cuda/driver.js');
  const { name, memory, freeMemory } = (await describeDriver())?.cards[0] ?? {};
  if (memory === undefined || freeMemory === undefined) return undefined;
  return { name, memory, used: memory - freeMemory };
}

export default class BenchStep extends EstaCommand {
  static override description =
    'Time one adaptation step: frozen ViT blocks with low-rank updates on q, k and v, forward and forward + backward; then whole ESTA steps: a sampled stitch of the listed models that learns from the largest of them. Of language models: one step of the whole network, with low-rank updates on q and v.';
  static override examples = [
    '<%= config.bin %> bench step',
    '<%= config.bin %> bench step --model vit_base_patch16_224 --json',
    '<%= config.bin %> bench step --model tinyllama_1b --weights 8bit --batch 4 --tokens 256',
  ];
  static override flags = {
    model: Flags.string({
      description: 'architectures to time',
      multiple: true,
      default: ['vit_tiny_patch16_224', 'vit_small_patch16_224', 'vit_base_patch16_224'],
    }),
    batch: Flags.integer({ description: 'images, or texts, in a batch', default: 8, min: 1 }),
    tokens: Flags.integer({ description: 'of each text, for language models', default: 256, min: 2 }),
    weights: weightsFlag,
    rank: Flags.integer({ description: 'rank of the low-rank updates', default: 8, min: 1 }),
    'sn-net': Flags.boolean({ description: 'time a step in which all weights of a stitch learn, too' }),
    threads: threadsFlag,
    engine: benchEngineFlag,
    device: deviceFlag,
    precision: precisionFlag,
    repeat: repeatFlag(5),
  };

  override async run(): Promise<unknown> {
    const parsed = await this.parse(BenchStep);
    const { flags } = parsed;
    const { createEngine } = await import('../../src/engine/select.js');
    const { benchmarkStep, deviceMemoryOf, matmulPeak } = await import('../../src/bench/step-benchmark.js');
    const { benchmarkEstaSteps, benchmarkSnNetStep } = await import('../../src/bench/esta-step-benchmark.js');
    const { spaceBetween } = await import('../../src/bench/random-network.js');
    const { benchmarkLanguageStep } = await import('../../src/bench/language/language-step-benchmark.js');
    const { variantNamed } = await import('../../src/models/vit/variants.js');
    const { llamaNamed, llamaNames } = await import('../../src/models/llama/variants.js');
    const languages = flags.model.filter((name) => llamaNames.includes(name));
    const variants = flags.model
      .filter((name) => !languages.includes(name))
      .map(variantNamed)
      .sort((a, b) => a.width - b.width);
    if (variants.length < 2)
      refuseIdle(parsed, ['sn-net'], 'a stitch takes two vision transformers: give --model twice');
    if (languages.length === 0) refuseIdle(parsed, ['tokens', 'weights'], 'they are of language models');
    if (variants.length > 1) spaceBetween(variants); // refused before minutes of timing
    const { device } = flags;
    const choice = benchEngine(flags.engine, device);
    const engine = await createEngine(choice, { threads: flags.threads, device, precision: flags.precision });
    const options = { batchSize: flags.batch, rank: flags.rank, repeat: flags.repeat };
    const peak = await matmulPeak(engine);
    this.log(`matrix product: ${peak} GFLOP/s, ${engine.precision}`);
    const timings: StepTiming[] = [];
    const shown = (timing: StepTiming) => {
      timings.push(timing);
      const { model, forward_ms, step_ms, gflops_per_second, peak_memory_mib } = timing;
      const share = Math.round((100 * gflops_per_second) / peak);
      this.log(
        `${model}: forward ${forward_ms} ms, step ${step_ms} ms, ${gflops_per_second} GFLOP/s (${share} %), peak memory ${peak_memory_mib} MiB`,
      );
    };
    for (const variant of variants) shown(await benchmarkStep(engine, variant, options));
    for (const name of languages) {
      const text = { ...options, storage: flags.weights, tokens: flags.tokens };
      shown(await benchmarkLanguageStep(engine, name, llamaNamed(name), text));
    }
    // One network alone cannot be stitched.
    const estaSteps = variants.length > 1 ? await benchmarkEstaSteps(engine, variants, options) : [];
    const results = timings.map((timing, index) => ({ ...timing, esta_step_ms: estaSteps[index] ?? null }));
    for (const { model, esta_step_ms } of results) {
      if (esta_step_ms !== null) this.log(`${model}: ESTA step ${esta_step_ms} ms, taught by ${variants.at(-1)!.name}`);
    }
    const estaMemory = estaSteps.length > 0 ? deviceMemoryOf(engine, 'esta_device_memory_mib') : {};
    for (const mib of Object.values(estaMemory)) this.log(`ESTA steps take ${mib} MiB of the card`);
    const snNet =
      flags['sn-net'] && variants.length > 1 ? await benchmarkSnNetStep(engine, variants, options) : undefined;
    if (snNet !== undefined) this.log(`SN-Net step ${snNet} ms: all weights of the stitch into the largest`);
    const snNetMemory = snNet === undefined ? {} : deviceMemoryOf(engine, 'sn_net_device_memory_mib');
    for (const mib of Object.values(snNetMemory)) this.log(`with the SN-Net step, ${mib} MiB of the card`);
    const card = device === 'cuda' ? await cardMemory() : undefined;
    if (card) this.log(`${card.name}: ${card.used} of ${card.memory} MiB in use, other processes included`);
    this.log(formatNextStep({ purpose: 'What else this machine could compute with:', command: estaCommand('doctor') }));
    await engine.dispose();
    return {
      engine: engine.name,
      device: engine.device,
      precision: engine.precision,
      batch: flags.batch,
      ...(languages.length > 0 && { tokens: flags.tokens }),
      rank: flags.rank,
      matmul_gflops_per_second: peak,
      ...estaMemory,
      ...(snNet !== undefined && { sn_net_step_ms: snNet, ...snNetMemory }),
      ...(card && { card: card.name, card_used_mib: card.used }),
      results,
    };
  }
}
