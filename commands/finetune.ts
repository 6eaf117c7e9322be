import { Flags } from '@oclif/core';
import {
  chosenBy,
  coresFlag,
  deployedFlags,
  deviceFlag,
  EstaCommand,
  engineFlag,
  outFlag,
  precisionFlag,
  refuseIdleMachine,
  runArg,
} from '../src/shared/command.js';
import { RequestError } from '../src/shared/errors.js';
import { estaCommand, formatNextStep } from '../src/shared/next-step.js';

export default class Finetune extends EstaCommand {
  static override readonly summary = 'Train one stitch of a run further, alone.';
  static override readonly description =
    `Goes on from what shared training left of the stitch, with the images or texts, batches and adaptation of its trial, for a few epochs on the labels. The learning rate is chosen on what is held out for validation; what is held out for the test only says what was gained.

Of a run of language models it is one of the stitches that are deployed, and loss and perplexity say what was gained.

The result is a run folder of its own, which predict, generate, export, measure and report read; the run stays as it is. What was stopped goes on when the same command is given again.`;

  static override readonly examples = [
    {
      description: 'What answers within 5 ms, once it was measured',
      command: '<%= config.bin %> finetune runs/flowers12 --budget 5ms',
    },
    {
      description: 'One stitch, for longer, with one learning rate',
      command: '<%= config.bin %> finetune runs/flowers12 --stitch 42 --epochs 20 --rate 1e-3',
    },
  ];

  static override readonly args = { run: runArg };

  static override readonly flags = {
    ...deployedFlags,
    epochs: Flags.integer({ min: 1, default: 5, helpValue: 'N', summary: 'Passes over the training images or texts.' }),
    rate: Flags.custom<number>({
      helpValue: 'RATE',
      summary:
        'Base learning rate; several: the best one on the validation images or texts. Default: 1, 0.3 and 0.1 of that of the run.',
      parse: async (text) => {
        const rate = Number(text);
        if (rate > 0 && Number.isFinite(rate)) return rate;
        throw new RequestError(`--rate: expected a number above 0, received ${JSON.stringify(text)}`);
      },
    })({ multiple: true, multipleNonGreedy: true }),
    out: outFlag({ helpValue: 'DIR', summary: 'Run folder to write; default: RUN-stitch-ID, beside the run.' }),
    engine: engineFlag,
    device: deviceFlag,
    threads: coresFlag,
    precision: {
      ...precisionFlag,
      summary: 'What matrix products are computed in; default: training.precision of the run.',
    },
  };

  override async run(): Promise<unknown> {
    const parsed = await this.parse(Finetune);
    const { args, flags } = parsed;
    refuseIdleMachine(parsed);
    const { performFinetuning } = await import('../src/experiment/derived/perform.js');
    const { languageGainLines } = await import('../src/report/language/gain-view.js');
    const { gainLines } = await import('../src/report/views/gain-view.js');
    const command = estaCommand('finetune', ...this.argv);
    const request = { ...flags, ...chosenBy(flags), command };
    const { out, trial, result, tested } = await performFinetuning(args.run, request);
    const { finetunedLanguage } = result;
    for (const line of finetunedLanguage ? languageGainLines(result) : gainLines(result, tested)) this.log(line);
    this.log(`Written: ${out}`);
    const next = finetunedLanguage
      ? { purpose: 'Ask it:', command: estaCommand('generate', 'TEXT', '--run', out) }
      : { purpose: 'As a file:', command: estaCommand('export', out, '--out', 'stitch.onnx') };
    this.log(formatNextStep(next));
    return { run: out, trial, ...result };
  }
}
