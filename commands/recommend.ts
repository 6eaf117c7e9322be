import { budgetFlag, chosenBy, deployedFlags, EstaCommand, refuseIdleMachine, runArg } from '../src/shared/command.js';
import { estaCommand, formatNextStep } from '../src/shared/next-step.js';

export default class Recommend extends EstaCommand {
  static override readonly summary = 'Say which deployed stitch a budget buys, and why.';
  static override readonly description =
    'Of the deployed stitches that the budget can pay for, the one with the most FLOPs is taken, as predict and export do. ' +
    'Said beside: what a little more would buy, and whether a cheaper stitch came out better on the test images.';

  static override readonly examples = [
    {
      description: 'What answers within 5 ms on this machine, once it was measured',
      command: '<%= config.bin %> recommend runs/flowers12 --budget 5ms',
    },
    {
      description: 'What fits into 4 MB',
      command: '<%= config.bin %> recommend runs/flowers12 --budget 4MB',
    },
  ];

  static override readonly args = { run: runArg };

  static override readonly flags = {
    trial: deployedFlags.trial,
    machine: deployedFlags.machine,
    budget: budgetFlag({ required: true }),
  };

  override async run(): Promise<unknown> {
    const parsed = await this.parse(Recommend);
    const { args, flags } = parsed;
    refuseIdleMachine(parsed);
    const { findTrial } = await import('../src/experiment/deployed/found-trial.js');
    const { recommend } = await import('../src/report/recommendation.js');
    const run = await findTrial(args.run, flags.trial);
    const { budget, machine } = chosenBy(flags);
    const recommended = recommend(run, budget!, machine);
    for (const line of recommended.lines) this.log(line);
    const command = estaCommand(
      ...['export', args.run, '--trial', run.name, '--stitch', String(recommended.stitch.id), '--out', 'stitch.onnx'],
    );
    this.log(formatNextStep({ purpose: 'As a file:', command }));
    return { trial: run.name, budget, ...recommended };
  }
}
