import { Args, Flags } from '@oclif/core';
import type { Prepared } from '../../src/data/official/prepare/prepare.js';
import { EstaCommand } from '../../src/shared/command.js';

export default class DataPrepare extends EstaCommand {
  static override summary = 'Unpack, split and optionally shrink an official data set';
  static override description =
    'Safe to repeat: what is done already is kept, and an interrupted run goes on where it stopped.';
  static override examples = [
    '<%= config.bin %> data prepare cub-200-2011 --from downloads/CUB_200_2011.tgz --root data',
    '<%= config.bin %> data prepare oxford-flowers-102 --from downloads --root data --resize 256',
    '<%= config.bin %> data prepare vtab-1k --from /datasets/vtab-1k --root data',
  ];
  static override args = {
    name: Args.string({ required: true, description: 'Data set (see: data list), or vtab-1k for all its tasks' }),
  };
  static override flags = {
    from: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'PATH',
      summary: 'Archive, label file, folder that holds them, or unpacked folder; may be repeated.',
      description: 'An unpacked folder is used in place. Left out: the folder of the data set in the data root.',
    }),
    root: Flags.string({ required: true, helpValue: 'DIR', summary: 'Data root; the data set gets a folder there' }),
    resize: Flags.integer({ min: 1, helpValue: 'PIXELS', summary: 'Write a training cache with this shorter edge' }),
    splits: Flags.string({ helpValue: 'DIR', summary: "Folder with VPT's train.json, val.json and test.json" }),
    'train-fraction': Flags.string({ helpValue: 'F', summary: "Use VPT's train_F.json, for example 0.1" }),
    'validation-fraction': Flags.string({
      helpValue: 'F',
      summary: 'Share of the training images to draw where there are no validation images; default 0.1',
    }),
    seed: Flags.integer({ helpValue: 'N', summary: 'Seed of that drawing; default 0' }),
    verify: Flags.boolean({ allowNo: true, default: true, summary: 'Compare archives with their published MD5 sums' }),
  };

  async run(): Promise<{ prepared: Prepared[] }> {
    const { args, flags } = await this.parse(DataPrepare);
    const { findOfficial } = await import('../../src/data/official/registry.js');
    const { prepareOfficial } = await import('../../src/data/official/prepare/prepare.js');
    const { createProgress } = await import('../../src/shared/progress.js');
    const { showActivities } = await import('../../src/data/official/prepare/activity.js');
    const fraction = flags['validation-fraction'];
    const progress = createProgress(process.stderr);
    try {
      const prepared = await prepareOfficial(
        findOfficial(args.name),
        {
          root: flags.root,
          verify: flags.verify,
          ...(flags.from && { from: flags.from }),
          ...(flags.resize !== undefined && { resize: flags.resize }),
          ...(flags.splits !== undefined && { splits: flags.splits }),
          ...(flags['train-fraction'] !== undefined && { trainFraction: flags['train-fraction'] }),
          ...(fraction !== undefined && { validationFraction: Number(fraction) }),
          ...(flags.seed !== undefined && { splitSeed: flags.seed }),
        },
        showActivities(progress),
      );
      progress.stop();
      for (const set of prepared) this.print(set);
      return { prepared };
    } finally {
      progress.stop();
    }
  }

  private print({ dataset, classes, images: { train, val, test }, notes, splitsFile }: Prepared): void {
    this.log(`${dataset}: ${classes} classes, ${train} train, ${val} val, ${test} test images`);
    for (const note of notes) this.log(`  note: ${note}`);
    this.log(`  wrote ${splitsFile}`);
  }
}
