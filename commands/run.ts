import { Args, Flags } from '@oclif/core';
import { deviceFlag, EstaCommand, engineFlag, reuseFlag, setFlag } from '../src/shared/command.js';

export default class Run extends EstaCommand {
  static override readonly summary = 'Run an experiment: train palettes, evaluate them, print the table.';
  static override readonly description =
    `An experiment file names anchors, data sets and a recipe. Those that come with the program go by their name in any
folder: quickstart, flowers12, mini/fgvc. Each data set, method and seed is a trial. Trials that are finished in the run
folder are not run again, and an interrupted one goes on from its last checkpoint: repeat the same command after Ctrl-C.

Exit status: 0 done, 1 a trial failed (the others still ran), 2 the request is wrong, 130 interrupted.`;

  static override readonly examples = [
    {
      description: 'The first palette, in minutes on a CPU',
      command: '<%= config.bin %> run quickstart',
    },
    {
      description: 'Your own images, with fewer epochs',
      command: '<%= config.bin %> run experiments/flowers12.yaml --set data.root=./my-flowers --set training.epochs=20',
    },
    {
      description: 'What would be done, and what is missing',
      command: '<%= config.bin %> run experiments/fgvc.yaml --dry-run',
    },
    {
      description: 'One of several data sets, by name',
      command: '<%= config.bin %> run experiments/fgvc.yaml --set data.stanford-cars.root=/data/cars --dry-run',
    },
  ];

  static override readonly args = {
    file: Args.string({ description: 'Experiment file (YAML).', required: true }),
  };

  static override readonly flags = {
    set: setFlag,
    out: Flags.string({ helpValue: 'DIR', summary: 'Run folder; default runs/NAME in the working folder.' }),
    reuse: reuseFlag,
    engine: engineFlag,
    device: deviceFlag,
    'dry-run': Flags.boolean({ summary: 'Print the trials and what is missing; compute and write nothing.' }),
  };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Run);
    const { loadExperiment } = await import('../src/config/load.js');
    const { runFolderOf } = await import('../src/config/trials.js');
    const { formatPlan, planOf } = await import('../src/experiment/plan.js');
    const { config: experiment } = await loadExperiment(args.file, { set: flags.set });
    const runFolder = runFolderOf(experiment, flags.out);
    if (flags['dry-run']) {
      const { checkedPlan } = await import('../src/experiment/inputs.js');
      const { plan, exitStatus } = await checkedPlan(await planOf(experiment, runFolder), experiment);
      this.log(formatPlan(plan));
      process.exitCode = exitStatus;
      return plan;
    }
    const { performExperiment } = await import('../src/experiment/runner.js');
    const { engine, device, reuse } = flags;
    const command = ['run', ...this.argv];
    const performed = await performExperiment(experiment, { runFolder, engine, device, reuse, command });
    this.log(performed.text);
    process.exitCode = performed.exitStatus;
    return performed.document;
  }
}
