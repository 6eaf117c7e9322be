import { Args, Flags } from '@oclif/core';
import type { ReportJson } from '../src/report/render/render-json.js';
import { formatOfFile, reportFormats } from '../src/report/report-format.js';
import { budgetFlag, EstaCommand, machineFlag, outFlag } from '../src/shared/command.js';
import { parseBudget } from '../src/shared/costs/budget.js';
import { RequestError } from '../src/shared/errors.js';
import { estaCommand, formatNextStep } from '../src/shared/next-step.js';

export default class Report extends EstaCommand {
  static override readonly summary = 'Print the tables of runs in the shape of the paper, and draw their curves.';
  static override readonly description =
    'Reads run folders, finished or not, and computes nothing again. Trials that failed or have no result are marked. ' +
    'figure.svg and figure.png are written beside the report, or else into the run folder.';

  static override readonly examples = [
    { description: 'All runs below runs/', command: '<%= config.bin %> report' },
    { description: 'A page with a curve to explore', command: '<%= config.bin %> report runs/fgvc --out report.html' },
    { description: 'What fits into a budget', command: '<%= config.bin %> report runs/flowers12 --budget 5ms' },
    { description: 'Tables for a paper', command: '<%= config.bin %> report runs/fgvc --format latex --out tables' },
  ];

  static override readonly strict = false;
  static override readonly args = {
    DIR: Args.string({ description: 'Run folder, or a folder of run folders; may be repeated. Default: runs.' }),
  };

  static override readonly flags = {
    format: Flags.option({
      options: reportFormats,
      summary: 'Format of the report; default: what the name of --out asks for, or else text.',
    })(),
    out: outFlag({
      helpValue: 'FILE|DIR',
      summary: 'Write the report to this file, or as report.EXTENSION into this folder; default: print it.',
    }),
    budget: budgetFlag({
      multiple: true,
      multipleNonGreedy: true,
      default: [],
      summary: 'Say which deployed stitch it buys: 5ms, 20MB, 0.1GFLOPs, 8Mparams; may be repeated.',
    }),
    machine: {
      ...machineFlag,
      summary:
        'Show what this machine has measured, and no other; its milliseconds count for --budget. Default: all of them.',
    },
  };

  override async run(): Promise<ReportJson & { readonly files: readonly string[] }> {
    const { argv, flags } = await this.parse(Report);
    const { findRunFolders, runFoldersIn } = await import('../src/run-folder/run-folder.js');
    const { buildReport } = await import('../src/report/report.js');
    const folders = argv.length > 0 ? await findRunFolders(argv.map(String)) : await runFoldersIn('runs');
    if (folders.length === 0) {
      const { shippedExperiment } = await import('../src/config/shipped.js');
      const command = estaCommand('run', await shippedExperiment('quickstart.yaml'));
      throw new RequestError('there is no run folder in runs/', formatNextStep({ purpose: 'Start a run:', command }));
    }
    const { out } = flags;
    const format = flags.format ?? (out === undefined ? undefined : formatOfFile(out)) ?? 'text';
    const question = { budgets: flags.budget.map(parseBudget), machine: flags.machine };
    const report = await buildReport(folders, format, { out, width: process.stdout.columns, question });
    if (out === undefined) this.log(report.text);
    // Standard output belongs to the document, where a program may read it.
    const say = (line: string) => (out === undefined && format !== 'text' ? this.logToStderr(line) : this.log(line));
    if (out !== undefined || format === 'csv') for (const problem of report.problems) say(`Note: ${problem}`);
    for (const problem of report.unwritten) say(`Note: ${problem}`);
    for (const file of report.files) say(`Written: ${file}`);
    if (report.page) say(`Open ${report.page} in a browser.`);
    if (report.next) say(formatNextStep(report.next));
    return { ...report.json, files: report.files };
  }
}
