import { Args, Flags } from '@oclif/core';
import {
  deviceFlag,
  EstaCommand,
  engineFlag,
  outFlag,
  refuseIdle,
  reuseFlag,
  setFlag,
  usageOfTrials,
} from '../src/shared/command.js';

export default class Run extends EstaCommand {
  static override readonly summary = 'Run an experiment: train palettes, evaluate them, print the table.';
  static override readonly description =
    `An experiment file names anchors, data sets and a recipe. Those that come with the program go by their name in any
folder: quickstart, flowers12, mini/fgvc. Each data set, method and seed is a trial. Trials that are finished in the run
folder are not run again, and an interrupted one goes on from its last checkpoint: repeat the same command after Ctrl-C.

Exit status: 0 done, 1 a trial failed (the others still ran), 2 the request is wrong, 130 interrupted.`;

  static override readonly usage = usageOfTrials('FILE');

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
      description: 'All cores: a process for each, which divide the trials and learning rates',
      command: '<%= config.bin %> run experiments/flowers12.yaml --jobs auto',
    },
    {
      description: 'What there is to do, and what ten workers would make of it',
      command: '<%= config.bin %> run experiments/mini/fgvc.yaml --list --workers 10',
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
    out: outFlag({ helpValue: 'DIR', summary: 'Run folder; default runs/NAME in the working folder.' }),
    reuse: reuseFlag,
    engine: engineFlag,
    device: deviceFlag,
    threads: Flags.integer({
      min: 1,
      helpValue: 'N',
      summary:
        'Threads of a process on a CPU; default all cores, of --jobs its share. Other numbers round differently.',
    }),
    jobs: Flags.string({
      helpValue: 'N|auto',
      summary: 'Processes on this machine that divide cores, GPUs, trials and learning rates; auto: as many as pay.',
    }),
    list: Flags.boolean({
      exclusive: ['jobs', 'dry-run'],
      summary: 'Print what can be run alone, and how far it is; compute and write nothing.',
    }),
    workers: Flags.integer({
      min: 1,
      max: 10_000,
      helpValue: 'N',
      dependsOn: ['list'],
      summary: 'Beside --list: how long 1 to N workers would take.',
    }),
    only: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      default: [],
      exclusive: ['jobs', 'list', 'dry-run'],
      helpValue: 'ID',
      summary: 'Run only this item of --list (its id or number), or what is left of this trial; may be repeated.',
    }),
    wait: Flags.boolean({ summary: 'Beside --only: wait for what the item waits for, wherever that runs.' }),
    launcher: Flags.option({
      options: ['slurm'] as const,
      exclusive: ['jobs', 'only', 'list', 'dry-run'],
      summary: 'Submit what is left to a cluster: see launcher in the experiment file, and docs/clusters.md.',
    })(),
    print: Flags.boolean({
      dependsOn: ['launcher'],
      summary: 'Print what would be submitted; submit and write nothing.',
    }),
    status: Flags.boolean({
      exclusive: ['jobs', 'only', 'list', 'dry-run', 'launcher'],
      summary: 'Print what the run folder and the queue of Slurm say of each item.',
    }),
    'dry-run': Flags.boolean({ summary: 'Print the trials and what is missing; compute and write nothing.' }),
  };

  override async run(): Promise<unknown> {
    const parsed = await this.parse(Run);
    const { args, flags } = parsed;
    if (flags.only.length === 0) refuseIdle(parsed, ['wait'], 'it is of --only');
    const { loadExperiment } = await import('../src/config/load.js');
    const { runFolderOf } = await import('../src/config/trials.js');
    const { carryOut } = await import('../src/experiment/carry-out.js');
    const { config: experiment } = await loadExperiment(args.file, { set: flags.set });
    const runFolder = runFolderOf(experiment, flags.out);
    const asked = { experiment, variants: [], runFolder, command: ['run', ...this.argv], naming: ['run', args.file] };
    return this.tell(await carryOut(asked, flags));
  }
}
