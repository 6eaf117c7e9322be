import { Flags } from '@oclif/core';
import { precisions } from '../src/config/deployment-options.js';
import { EstaCommand, outFlag, runArg, trialFlag } from '../src/shared/command.js';
import { formatMebibytes } from '../src/shared/costs/numbers.js';
import { sum } from '../src/shared/groups.js';

export default class Demo extends EstaCommand {
  static override readonly summary = 'Write a page that runs the deployed stitches in the browser.';
  static override readonly description =
    `A folder with one page: a slider over budgets, an image that is dropped or taken by the webcam, the most probable classes, the blocks that the chosen stitch runs, and its milliseconds in this very browser. Everything lies in the folder, some test images of the run among it, so that any static server shows it without a network. The stitches run on WebGPU where the browser has one, else by WebAssembly.`;

  static override readonly examples = [
    { description: 'The palette of a run', command: '<%= config.bin %> demo runs/flowers12 --out demo' },
    { description: 'To look at it', command: 'npx http-server demo' },
  ];

  static override readonly args = { run: runArg };

  static override readonly flags = {
    trial: trialFlag,
    out: outFlag({ default: 'demo', helpValue: 'DIR', summary: 'Folder of the page; one of before is replaced.' }),
    precision: Flags.option({
      options: precisions,
      default: 'float32',
      summary: 'Of the weights in the files: float16 and int8 make them a half and a quarter as large.',
    })(),
    examples: Flags.integer({ min: 0, default: 6, helpValue: 'N', summary: 'Test images of the run to copy into it.' }),
  };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Demo);
    const { out, trial, examples, precision } = flags;
    const { writeDemo } = await import('../src/experiment/demo/write-demo.js');
    const onNote = (text: string) => this.logToStderr(text);
    const palette = await writeDemo(args.run, { out, trial, examples, precision, onNote });
    const size = formatMebibytes(sum(palette.stitches.map(({ bytes }) => bytes)));
    this.log(`Written: ${out}/index.html, ${palette.stitches.length} stitches of ${size} together`);
    this.log(`Show it with any static server, for example: npx http-server ${out}`);
    return { out, ...palette };
  }
}
