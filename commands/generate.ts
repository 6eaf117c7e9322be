import { Args, Flags, type Interfaces } from '@oclif/core';
import { deviceFlag, EstaCommand, engineFlag, refuseIdle, weightsFlag } from '../src/shared/command.js';
import { formatParameters } from '../src/shared/costs/numbers.js';
import { RequestError } from '../src/shared/errors.js';

export default class Generate extends EstaCommand {
  static override readonly summary = 'Continue a text with a language model of the LLaMA family.';
  static override readonly description =
    `The text appears as it is made, until the model ends it, --max-tokens are written, or Ctrl-C. Without a temperature the most probable token is taken each time, so that the same prompt gives the same text.

The folder holds config.json, model.safetensors (or its shards with their index) and tokenizer.json or tokenizer.model, as Hugging Face has them: LLaMA, Llama 2, TinyLlama. A model of llama2.c is converted by dist/data-scripts/llama2c-to-hf.js of this package.

With --run it is an instruction, in the template of Alpaca, that deployed stitches of a run on text answer.`;

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
    {
      description: 'The answer of the largest stitch with at most 8 billion parameters',
      command: '<%= config.bin %> generate "Name three fruits." --run runs/stitched-llama --budget 8B',
    },
    {
      description: 'The answers of all deployed stitches side by side, as in Figures G and H',
      command: '<%= config.bin %> generate "Name three fruits." --run runs/stitched-llama --compare',
    },
  ];

  static override readonly usage =
    '<%= command.id %> [PROMPT] (--checkpoint DIR [--adapter DIR] | --run DIR [--input TEXT] [--budget COST | --stitch ID | --compare]) [FLAGS]';

  static override readonly args = {
    prompt: Args.string({ description: 'The text to continue, may be empty; or an instruction.' }),
  };

  static override readonly flags = {
    checkpoint: Flags.string({ helpValue: 'DIR', summary: 'Folder of the model.' }),
    run: Flags.string({
      helpValue: 'DIR',
      exclusive: ['checkpoint', 'adapter'],
      summary: 'Run folder of stitched language models: TEXT is an instruction, which one of them answers.',
    }),
    input: Flags.string({ dependsOn: ['run'], helpValue: 'TEXT', summary: 'What the instruction is about.' }),
    trial: Flags.string({
      dependsOn: ['run'],
      helpValue: 'NAME',
      summary: 'Trial of the run; may be left out where it has one.',
    }),
    budget: Flags.string({
      dependsOn: ['run'],
      exclusive: ['stitch', 'compare'],
      helpValue: 'COST',
      summary:
        'The largest deployed stitch that it buys: 8B (parameters), 20GB, 900GFLOPs; left out: the largest of all.',
    }),
    stitch: Flags.integer({
      dependsOn: ['run'],
      exclusive: ['compare'],
      helpValue: 'ID',
      summary: 'A deployed stitch.',
    }),
    prompts: Flags.string({
      dependsOn: ['run'],
      exclusive: ['stitch', 'budget', 'input'],
      helpValue: 'FILE',
      summary:
        'Instructions (.json or .jsonl as Alpaca has them, or .txt with one a line) that all deployed stitches answer; kept for esta report.',
    }),
    compare: Flags.boolean({
      dependsOn: ['run'],
      summary: 'All deployed stitches answer, with the seconds that each takes for a token.',
    }),
    adapter: Flags.string({
      helpValue: 'DIR',
      summary: 'Folder of a LoRA adapter (PEFT) for the model; it is merged into the weights.',
    }),
    weights: weightsFlag,
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
    beams: Flags.integer({
      min: 1,
      exclusive: ['temperature', 'top-p', 'top-k'],
      helpValue: 'N',
      summary:
        'Beam search: so many beginnings grow side by side, and the most probable text is given; alpaca-lora: 4.',
    }),
    seed: Flags.integer({ min: 0, default: 0, helpValue: 'N', summary: 'Of what is drawn.' }),
    engine: engineFlag,
    device: deviceFlag,
  };

  override async run(): Promise<unknown> {
    const parsed = await this.parse(Generate);
    const { args, flags } = parsed;
    const { prompt } = args;
    if (flags.beams === undefined && flags.temperature === 0)
      refuseIdle(parsed, ['top-p', 'top-k', 'seed'], 'at temperature 0 nothing is drawn');
    if (flags.beams !== undefined) refuseIdle(parsed, ['seed'], 'a beam search draws nothing');
    if (flags.run !== undefined) refuseIdle(parsed, ['weights'], 'a run keeps its weights as text.weights says');
    if ((prompt === undefined) === (flags.prompts === undefined)) {
      throw new RequestError(
        'expected a text, or --prompts FILE',
        'Quote the text: esta generate "Once upon a time" ...',
      );
    }
    if (flags.run !== undefined) return this.answer(prompt, flags.run, flags);
    const { checkpoint } = flags;
    if (prompt === undefined) throw new RequestError('expected --run beside --prompts');
    if (checkpoint === undefined) {
      throw new RequestError('expected --checkpoint or --run', 'Give the folder of a model, or that of a run on text.');
    }
    const { createEngine } = await import('../src/engine/select.js');
    const { openModel } = await import('../src/evaluation/generation/open-model.js');
    const { beamSearch } = await import('../src/evaluation/generation/beam-search.js');
    const { generate } = await import('../src/evaluation/generation/generate.js');
    const { Random } = await import('../src/shared/random.js');
    const { interruptSignal } = await import('../src/shared/interrupt.js');
    const engine = await createEngine(flags.engine, { device: flags.device });
    try {
      const { model, tokenizer, params, unused } = await openModel(engine, checkpoint, {
        storage: flags.weights,
        adapter: flags.adapter,
      });
      if (unused.length > 0) this.warn(`${checkpoint} has tensors that are not used: ${unused.join(', ')}`);
      const show = this.jsonEnabled() ? () => {} : (text: string) => void process.stdout.write(text);
      const signal = interruptSignal();
      const { beams, 'max-tokens': maxTokens } = flags;
      const search = async () => {
        const found = await beamSearch(model, tokenizer, prompt, { beams: beams!, maxTokens, signal });
        show(prompt + found.text);
        return found;
      };
      const draw = () =>
        generate(model, tokenizer, prompt, {
          sampling: { temperature: flags.temperature, topP: flags['top-p'], topK: flags['top-k'] },
          maxTokens,
          random: Random.of(flags.seed, 'generate'),
          signal,
          onText: show,
        });
      const generated = await (beams === undefined ? draw() : search());
      const { tokens, promptTokens, secondsPerToken } = generated;
      this.log(`\n\n${tokens} tokens after ${promptTokens}, ${secondsPerToken.toFixed(4)} s each, on ${engine.device}`);
      if (generated.stopped === 'interrupted') process.exitCode = 130;
      return { ...generated, params, device: engine.device };
    } finally {
      await engine.dispose();
    }
  }

  /** Answers of deployed stitches: one as it is made, or all of them as a table; those to a file of prompts are kept. */
  private async answer(instruction: string | undefined, runFolder: string, flags: GenerateFlags): Promise<unknown> {
    const { findTrial } = await import('../src/experiment/deployed/found-trial.js');
    const { chosenStitch } = await import('../src/experiment/deployed/deployed-network.js');
    const { answersOf, areCutShort, questionsIn, writeAnswers } = await import('../src/experiment/text/answers.js');
    const { answersTable } = await import('../src/report/language/answers-view.js');
    const { parseBudget } = await import('../src/shared/costs/budget.js');
    const { createEngine } = await import('../src/engine/select.js');
    const { renderText } = await import('../src/report/render/render-text.js');
    const { interruptSignal } = await import('../src/shared/interrupt.js');
    const run = await findTrial(runFolder, flags.trial);
    const budget = flags.budget === undefined ? undefined : parseBudget(asBudget(flags.budget));
    const asksAll = flags.compare || flags.prompts !== undefined;
    const stitches = asksAll ? run.result.stitches : [chosenStitch(run, { stitch: flags.stitch, budget })];
    const questions =
      flags.prompts === undefined
        ? [{ instruction: instruction ?? '', input: flags.input ?? '' }]
        : await questionsIn(flags.prompts);
    const engine = await createEngine(flags.engine, { device: flags.device });
    try {
      const shows = !asksAll && !this.jsonEnabled();
      const answered = await answersOf(engine, run, stitches, questions, {
        sampling: { temperature: flags.temperature, topP: flags['top-p'], topK: flags['top-k'] },
        maxTokens: flags['max-tokens'],
        seed: flags.seed,
        beams: flags.beams,
        signal: interruptSignal(),
        ...(shows && { onText: (text: string) => void process.stdout.write(text) }),
      });
      const all = questions.map((question, index) => ({ ...question, answers: answered[index]! }));
      if (asksAll) {
        const begun = all.filter(({ answers }) => answers.length > 0);
        for (const each of begun) this.log(`${renderText(answersTable(each), process.stdout.columns)}\n`);
      } else if (answered[0]![0]) {
        const { id, params, tokens, seconds_per_token: seconds } = answered[0]![0];
        this.log(
          `\n\n${tokens} tokens of stitch ${id} (${formatParameters(params)}), ${seconds.toFixed(4)} s each, on ${engine.device}`,
        );
      }
      if (flags.prompts !== undefined) {
        const file = await writeAnswers(run, { device: engine.device, questions: all });
        if (file === undefined) this.warn('interrupted: nothing was written, and answers of before stay as they are');
        else this.log(`${file}: esta report shows it`);
      }
      if (areCutShort(all, stitches.length)) process.exitCode = 130;
      return { run: run.folder, trial: run.name, questions: all };
    } finally {
      await engine.dispose();
    }
  }
}

type GenerateFlags = Interfaces.InferredFlags<typeof Generate.flags>;

/** As `8B`, which is what the paper calls a stitch, smaller ones are called by their parameters: 650K. */
function asBudget(text: string): string {
  return /^[\d.]+\s*[km]$/i.test(text.trim()) ? `${text} params` : text;
}

function numberIn(flag: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= low && value <= high) return value;
  throw new RequestError(`${flag}: expected a number from ${low} to ${high}, received ${JSON.stringify(text)}`);
}
