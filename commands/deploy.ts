import { Flags } from '@oclif/core';
import {
  coresFlag,
  deviceFlag,
  EstaCommand,
  engineFlag,
  machineFlag,
  outFlag,
  runArg,
  trialFlag,
} from '../src/shared/command.js';
import { estaCommand, formatNextStep } from '../src/shared/next-step.js';

export default class Deploy extends EstaCommand {
  static override readonly summary = 'Deploy other stitches of a run: the best one for each bin of milliseconds.';
  static override readonly description =
    `A run deploys a stitch of each bin of FLOPs. Where a machine has measured all of its stitches (esta measure --all), this deploys a stitch of each bin of the milliseconds of that machine, of the network that is trained already, and tests them.

The result is a run folder of its own, which predict, export, recommend and report read; the run stays as it is.`;

  static override readonly examples = [
    {
      description: 'For a machine',
      command: '<%= config.bin %> deploy runs/flowers12 --machine laptop',
    },
    {
      description: 'The most accurate of each bin on the validation images',
      command: '<%= config.bin %> deploy runs/flowers12 --machine laptop --by validation',
    },
  ];

  static override readonly args = { run: runArg };

  static override readonly flags = {
    trial: trialFlag,
    machine: machineFlag,
    by: Flags.option({
      options: ['importance', 'validation'] as const,
      summary: 'What makes the best stitch of a bin: its importance score, or its accuracy on the validation images.',
    })(),
    bins: Flags.integer({ min: 1, helpValue: 'N', summary: 'Bins of equal width; default: as many as of FLOPs.' }),
    out: outFlag({ helpValue: 'DIR', summary: 'Run folder to write; default: RUN-on-MACHINE, beside the run.' }),
    engine: engineFlag,
    device: deviceFlag,
    threads: coresFlag,
  };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Deploy);
    const { performRedeployment } = await import('../src/experiment/derived/perform.js');
    const { renderText } = await import('../src/report/render/render-text.js');
    const { latencyView, measuredCurvesOf } = await import('../src/report/views/latency-view.js');
    const command = estaCommand('deploy', ...this.argv);
    const { out, trial, result, machines } = await performRedeployment(args.run, { ...flags, command });
    const table = latencyView(measuredCurvesOf([{ machines, trials: [{ name: trial, result }] }]));
    if (table) this.log(renderText(table, process.stdout.columns));
    this.log(`Written: ${out}`);
    this.log(
      formatNextStep({ purpose: 'Beside what the run deployed:', command: estaCommand('report', args.run, out) }),
    );
    return { run: out, trial, ...result };
  }
}
