import { Args, Flags } from '@oclif/core';
import { type AblationName, ablationNames, ablations } from '../src/experiment/ablation.js';
import { deviceFlag, EstaCommand, engineFlag, outFlag, refuseIdle, reuseFlag, setFlag } from '../src/shared/command.js';

export default class Ablate extends EstaCommand {
  static override readonly summary =
    'Run an ablation study of the paper: several settings of one experiment, several seeds.';
  static override readonly description = `The studies of the supplement:

${ablationNames.map((name) => `  ${name.padEnd(19)}${ablations[name].question}`).join('\n')}

All trials stand in one run folder, and the table shows mean and deviation over the seeds. As with esta run, finished
trials are not run again and an interrupted one goes on from its last checkpoint.`;

  static override readonly examples = [
    { description: 'On drawn images, on a CPU', command: '<%= config.bin %> ablate eta' },
    {
      description: 'Your own experiment, with five seeds',
      command: '<%= config.bin %> ablate distillation --experiment experiments/flowers12.yaml --seeds 5',
    },
    { description: 'What would be done', command: '<%= config.bin %> ablate lora --dry-run' },
  ];

  static override readonly args = {
    study: Args.string({
      description: 'What is compared.',
      options: ablationNames,
      required: true,
    }),
  };

  static override readonly flags = {
    experiment: Flags.string({ helpValue: 'FILE', summary: 'Experiment to vary; default: the quickstart.' }),
    seeds: Flags.integer({
      default: 3,
      min: 1,
      summary: 'Seeds of each variant, where the experiment names one; they count up from it.',
    }),
    set: setFlag,
    out: outFlag({
      helpValue: 'DIR',
      summary: 'Run folder; default runs/NAME-ablate-STUDY in the working folder.',
    }),
    reuse: reuseFlag,
    engine: engineFlag,
    device: deviceFlag,
    'dry-run': Flags.boolean({ summary: 'Print the trials and what is missing; compute and write nothing.' }),
  };

  override async run(): Promise<unknown> {
    const parsed = await this.parse(Ablate);
    const { args, flags } = parsed;
    const { loadExperiment } = await import('../src/config/load.js');
    const { runFolderOf } = await import('../src/config/trials.js');
    const { formatPlan, planOf } = await import('../src/experiment/plan.js');
    const { shippedExperiment } = await import('../src/config/shipped.js');
    const { ablationOf } = await import('../src/experiment/ablation.js');
    const file = flags.experiment ?? (await shippedExperiment('quickstart.yaml'));
    const { config } = await loadExperiment(file, { set: flags.set });
    if (config.seeds.length > 1)
      refuseIdle(parsed, ['seeds'], `the experiment names its seeds, ${config.seeds.join(', ')}`);
    const { experiment, variants } = ablationOf(args.study as AblationName, config, flags.seeds);
    const runFolder = runFolderOf(experiment, flags.out);
    if (flags['dry-run']) {
      const { checkedPlan } = await import('../src/experiment/inputs.js');
      const planned = await planOf(experiment, runFolder, variants);
      const { plan, exitStatus } = await checkedPlan(planned, experiment, variants);
      this.log(formatPlan(plan));
      process.exitCode = exitStatus;
      return plan;
    }
    const { performExperiment } = await import('../src/experiment/perform.js');
    const { engine, device, reuse } = flags;
    const command = ['ablate', ...this.argv];
    const performed = await performExperiment(experiment, { runFolder, engine, device, reuse, command, variants });
    this.log(performed.text);
    process.exitCode = performed.exitStatus;
    return performed.document;
  }
}
