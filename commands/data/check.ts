import { Args, Flags } from '@oclif/core';
import type { CheckResult } from '../../src/data/official/prepare/check.js';
import { EstaCommand } from '../../src/shared/command.js';
import { counted } from '../../src/shared/costs/numbers.js';

export default class DataCheck extends EstaCommand {
  static override summary = 'Check the images of a data set, and its known numbers';
  static override description =
    'Counts images per split and class where the numbers are known, decodes every image, and reports test images that are also training images. ' +
    'Exit status 1 when something is wrong. Exact duplicates are only reported, because some official copies have them; ' +
    '--strict makes them wrong too.';
  static override examples = [
    '<%= config.bin %> data check cub-200-2011 --root data',
    '<%= config.bin %> data check image-folder --root photos',
  ];
  static override args = {
    name: Args.string({
      required: true,
      description: 'Data set (see: data list), vtab-1k for all its tasks, or image-folder',
    }),
  };
  static override flags = {
    root: Flags.string({ required: true, helpValue: 'DIR', summary: 'Data root, or the folder of the data set' }),
    strict: Flags.boolean({ summary: 'Warnings are wrong too', default: false }),
  };

  async run(): Promise<{ checks: CheckResult[] }> {
    const { args, flags } = await this.parse(DataCheck);
    const { findOfficial } = await import('../../src/data/official/registry.js');
    const { checkImageFolder, checkOfficial } = await import('../../src/data/official/prepare/check.js');
    const { createProgress } = await import('../../src/shared/progress.js');
    const { showActivities } = await import('../../src/data/official/prepare/activity.js');
    const progress = createProgress(process.stderr);
    const checks: CheckResult[] = [];
    try {
      const show = showActivities(progress);
      if (args.name === 'image-folder') checks.push(await checkImageFolder(flags.root, show));
      else for (const spec of findOfficial(args.name)) checks.push(await checkOfficial(spec, flags.root, show));
    } finally {
      progress.stop();
    }
    for (const check of checks) this.print(check);
    const isWrong = ({ ok, warnings }: CheckResult) => !ok || (flags.strict && warnings.length > 0);
    if (checks.some(isWrong)) process.exitCode = 1;
    return { checks };
  }

  private print({ dataset, images, problems, warnings, unreadable, notes }: CheckResult): void {
    const { train, val, test } = images;
    const verdict = [
      ...(problems.length > 0 ? [counted(problems.length, 'problem')] : []),
      ...(warnings.length > 0 ? [counted(warnings.length, 'warning')] : []),
    ];
    this.log(`${dataset}: ${verdict.join(', ') || 'as expected'} (${train} train, ${val} val, ${test} test images)`);
    this.printSome('wrong', problems);
    this.printSome(
      'unreadable',
      unreadable.map(({ reason }) => reason),
    );
    this.printSome('warning', warnings);
    this.printSome('note', notes);
  }

  /** A whole data set can be wrong; `--json` has everything. */
  private printSome(kind: string, lines: readonly string[], most = 12): void {
    for (const line of lines.slice(0, most)) this.log(`  ${kind}: ${line}`);
    if (lines.length > most) this.log(`  ${kind}: and ${lines.length - most} more (all with --json)`);
  }
}
