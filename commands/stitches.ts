import { Args, Flags } from '@oclif/core';
import { EstaCommand, setFlag } from '../src/shared/command.js';

export default class Stitches extends EstaCommand {
  static override readonly summary = 'List the networks that an experiment trains at once, and what each costs.';
  static override readonly description =
    `No weights and, but for image folders, no data are read. FLOPs are multiply-accumulates of one image with the low-rank
updates beside the weights, as Table I counts them; params are those of the deployed network; trainable are those that
a training step on the stitch updates.

Data sets of one experiment differ only in the size of the heads: the first one is taken, or --classes.`;

  static override readonly examples = [
    { description: 'The space of the quick start', command: '<%= config.bin %> stitches quickstart' },
    {
      description: "The paper's space on Stanford Cars, for a program",
      command: '<%= config.bin %> stitches experiments/fgvc.yaml --classes 196 --json',
    },
    {
      description: 'What a wider window of stitching would give',
      command: '<%= config.bin %> stitches experiments/quickstart.yaml --set stitching.kernel=3',
    },
  ];

  static override readonly args = {
    file: Args.string({ description: 'Experiment file (YAML).', required: true }),
  };

  static override readonly flags = {
    set: setFlag,
    classes: Flags.integer({
      min: 2,
      helpValue: 'N',
      summary: 'Classes of the task; default those of the first data set.',
    }),
  };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Stitches);
    const { loadExperiment } = await import('../src/config/load.js');
    const { listStitches, stitchTable } = await import('../src/experiment/space-listing.js');
    const { classCountOf } = await import('../src/experiment/class-count.js');
    const { renderText } = await import('../src/report/render/render-text.js');
    const { config: experiment } = await loadExperiment(args.file, { set: flags.set });
    const [dataset] = experiment.data;
    const classes = flags.classes ?? (await classCountOf(dataset!));
    const table = stitchTable(experiment, classes, flags.classes ? '--classes' : dataset!.name);
    this.log(renderText(table, process.stdout.columns));
    return listStitches(experiment, classes);
  }
}
