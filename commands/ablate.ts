import { Args, Flags } from '@oclif/core';
import { type AblationName, ablationNames, ablations } from '../src/experiment/studies/ablation.js';
import { EstaCommand, outFlag, refuseIdle, usageOfTrials } from '../src/shared/command.js';
import Run from './run.js';

export default class Ablate extends EstaCommand {
  static override readonly summary =
    'Run an ablation study of the paper: several settings of one experiment, several seeds.';
  static override readonly description = `The studies of the supplement:

${ablationNames.map((name) => `  ${name.padEnd(19)}${ablations[name].question}`).join('\n')}

All trials stand in one run folder, and the table shows mean and deviation over the seeds. As with esta run, finished
trials are not run again and an interrupted one goes on from its last checkpoint. Trials are divided among processes, hosts
and clusters as those of esta run are.`;

  static override readonly usage = usageOfTrials('STUDY [--experiment FILE] [--seeds N]');

  static override readonly examples = [
    { description: 'On drawn images, on a CPU', command: '<%= config.bin %> ablate eta' },
    {
      description: 'Your own experiment, with five seeds',
      command: '<%= config.bin %> ablate distillation --experiment experiments/flowers12.yaml --seeds 5',
    },
    { description: 'What would be done', command: '<%= config.bin %> ablate lora --dry-run' },
    {
      description: 'All cores: a process for each, which divide the trials and learning rates',
      command: '<%= config.bin %> ablate length --experiment experiments/mini/study.yaml --jobs auto',
    },
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
    ...Run.flags,
    out: outFlag({
      helpValue: 'DIR',
      summary: 'Run folder; default runs/NAME-ablate-STUDY in the working folder.',
    }),
  };

  override async run(): Promise<unknown> {
    const parsed = await this.parse(Ablate);
    const { args, flags } = parsed;
    if (flags.only.length === 0) refuseIdle(parsed, ['wait'], 'it is of --only');
    const { loadExperiment } = await import('../src/config/load.js');
    const { runFolderOf } = await import('../src/config/trials.js');
    const { shippedExperiment } = await import('../src/config/shipped.js');
    const { studyOf } = await import('../src/experiment/studies/study.js');
    const { refuseIdleSettings } = await import('../src/experiment/studies/idle-settings.js');
    const { carryOut } = await import('../src/experiment/carry-out.js');
    const file = flags.experiment ?? (await shippedExperiment('quickstart.yaml'));
    const { config, overrides } = await loadExperiment(file, { set: flags.set });
    const namesSeeds = config.seeds.length > 1;
    if (namesSeeds) refuseIdle(parsed, ['seeds'], `the experiment names its seeds, ${config.seeds.join(', ')}`);
    const { leftOut, ...study } = studyOf(args.study as AblationName, config, flags.seeds);
    refuseIdleSettings(args.study as AblationName, overrides, study.variants);
    for (const text of leftOut) this.logToStderr(`left out: ${text}`);
    const runFolder = runFolderOf(study.experiment, flags.out);
    const seeds = namesSeeds ? [] : ['--seeds', String(flags.seeds)];
    const naming = ['ablate', args.study, '--experiment', file, ...seeds];
    return this.tell(await carryOut({ ...study, runFolder, command: ['ablate', ...this.argv], naming }, flags));
  }
}
