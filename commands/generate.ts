import { Args, Flags } from '@oclif/core';
import { deviceFlag, EstaCommand, engineFlag } from '../src/shared/command.js';
import { RequestError } from '../src/shared/errors.js';

export default class Generate extends EstaCommand {
  static override readonly summary = 'Continue a text with a language model of the LLaMA family.';
  static override readonly description =
    `The text appears as it is made, until the model ends it, --max-tokens are written, or Ctrl-C. Without a temperature the most probable token is taken each time, so that the same prompt gives the same text.

The folder holds config.json, model.safetensors (or its shards with their index) and tokenizer.json or tokenizer.model, as Hugging Face has them: LLaMA, Llama 2, TinyLlama. A model of llama2.c is converted by node dist/data-scripts/llama2c-to-hf.js.`;

  static override readonly examples = [
    {
      description: 'The most probable continuation',
      command: '<%= config.bin %> generate "Once upon a time" --checkpoint ./stories15M',
    },
    {
      description: 'One that is drawn, the same for the same seed',
      command:
        '<%= config.bin %> generate "Once upon a time" --checkpoint ./stories15M --temperature 0.8 --top-p 0.9 --seed 3',
    },
  ];

  static override readonly args = {
    prompt: Args.string({ description: 'The text to continue; may be empty.', required: true }),
  };

  static override readonly flags = {
    checkpoint: Flags.string({ required: true, helpValue: 'DIR', summary: 'Folder of the model.' }),
    adapter: Flags.string({
      helpValue: 'DIR',
      summary: 'Folder of a LoRA adapter (PEFT) for the model; it is merged into the weights.',
    }),
    weights: Flags.option({
      options: ['float32', '8bit'] as const,
      default: 'float32',
      summary: 'How the weights are kept; 8 bits take a quarter of the memory.',
    })(),
    'max-tokens': Flags.integer({ min: 1, default: 128, helpValue: 'N', summary: 'New tokens at most.' }),
    temperature: Flags.custom<number>({
      default: 0,
      helpValue: 'T',
      summary: 'Draws tokens by their probability, flattened above 1, sharpened below; 0 takes the best.',
      parse: async (text) => numberIn('--temperature', text, 0, 100),
    })(),
    'top-p': Flags.custom<number>({
      default: 1,
      helpValue: 'P',
      summary: 'Draws from the best tokens that together have this probability.',
      parse: async (text) => numberIn('--top-p', text, 0, 1),
    })(),
    'top-k': Flags.integer({ min: 0, default: 0, helpValue: 'K', summary: 'Draws from the K best tokens; 0: all.' }),
    seed: Flags.integer({ min: 0, default: 0, helpValue: 'N', summary: 'Of what is drawn.' }),
    engine: engineFlag,
    device: deviceFlag,
  };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Generate);
    const { createEngine } = await import('../src/engine/select.js');
    const { openModel } = await import('../src/evaluation/generation/open-model.js');
    const { generate } = await import('../src/evaluation/generation/generate.js');
    const { Random } = await import('../src/shared/random.js');
    const { interruptSignal } = await import('../src/shared/interrupt.js');
    const engine = await createEngine(flags.engine, { device: flags.device });
    try {
      const { model, tokenizer, params, unused } = await openModel(engine, flags.checkpoint, {
        storage: flags.weights,
        adapter: flags.adapter,
      });
      if (unused.length > 0) this.warn(`${flags.checkpoint} has tensors that are not used: ${unused.join(', ')}`);
      const show = this.jsonEnabled() ? () => {} : (text: string) => void process.stdout.write(text);
      const generated = await generate(model, tokenizer, args.prompt, {
        sampling: { temperature: flags.temperature, topP: flags['top-p'], topK: flags['top-k'] },
        maxTokens: flags['max-tokens'],
        random: Random.of(flags.seed, 'generate'),
        signal: interruptSignal(),
        onText: show,
      });
      const { tokens, promptTokens, secondsPerToken } = generated;
      this.log(`\n\n${tokens} tokens after ${promptTokens}, ${secondsPerToken.toFixed(4)} s each, on ${engine.device}`);
      if (generated.stopped === 'interrupted') process.exitCode = 130;
      return { ...generated, params, device: engine.device };
    } finally {
      await engine.dispose();
    }
  }
}

function numberIn(flag: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= low && value <= high) return value;
  throw new RequestError(`${flag}: expected a number from ${low} to ${high}, received ${JSON.stringify(text)}`);
}
