import { Flags } from '@oclif/core';
import { measuringDefaults } from '../src/run-folder/measured/measuring-defaults.js';
import { deviceFlag, EstaCommand, refuseIdle, runArg, trialFlag } from '../src/shared/command.js';
import { estaCommand, formatNextStep } from '../src/shared/next-step.js';

/** Flags of how it is measured here. */
const measuring = ['batch', 'rounds', 'threads', 'device', 'again'] as const;

export default class Measure extends EstaCommand {
  static override readonly summary = 'Measure what the deployed stitches of a run take on this machine.';
  static override readonly description =
    `Every stitch is exported and timed as ONNX Runtime runs it: one image at a time, and a batch; beside it the peak memory and the size of the file. Rounds visit all stitches in orders of their own, so that a machine that gets warm slows all of them alike. A measurement that was stopped goes on when the same command is given again.

The result goes into the run folder, measurements/MACHINE.json; budgets of milliseconds and esta report read it there. A name stands for one set of settings: what was measured with another device, other threads or batches, or more rounds, is not replaced.

A machine without esta: --form writes a table to be filled in, --import reads it. A table replaces the one of its machine as a whole, as times of one measurement belong together; one that lacks stitches or batches of before is refused.`;

  static override readonly examples = [
    { description: 'The deployed stitches', command: '<%= config.bin %> measure runs/flowers12' },
    { description: 'On one thread of the processor', command: '<%= config.bin %> measure runs/flowers12 --threads 1' },
    {
      description: 'A table that was measured on a phone',
      command: '<%= config.bin %> measure runs/flowers12 --import phone.csv --machine phone',
    },
  ];

  static override readonly args = { run: runArg };

  static override readonly flags = {
    trial: trialFlag,
    all: Flags.boolean({ summary: 'Every trained stitch; default: those that are deployed.' }),
    batch: Flags.integer({
      min: 1,
      default: measuringDefaults.batch,
      helpValue: 'N',
      summary: 'Images at once, beside one image.',
    }),
    rounds: Flags.integer({
      min: 1,
      default: measuringDefaults.rounds,
      helpValue: 'N',
      summary: 'Visits of each stitch; more than before measure anew.',
    }),
    threads: Flags.integer({ min: 1, helpValue: 'N', summary: 'Threads on a CPU; default: all cores.' }),
    device: deviceFlag,
    machine: Flags.string({
      helpValue: 'NAME',
      summary: 'Name of the machine; default: its host, and what --device and --threads say.',
    }),
    again: Flags.boolean({ summary: 'Measure again what this machine has measured, with --all or without.' }),
    import: Flags.string({
      helpValue: 'FILE',
      exclusive: ['form', 'all'],
      summary: 'Take a table that was measured elsewhere (CSV or JSON).',
    }),
    form: Flags.string({
      helpValue: 'FILE',
      summary: 'Write an empty table (CSV), for a machine without esta; with --all for esta deploy.',
    }),
  };

  override async run(): Promise<unknown> {
    const parsed = await this.parse(Measure);
    const { args, flags } = parsed;
    if (flags.form !== undefined) refuseIdle(parsed, [...measuring, 'machine'], 'a form is filled in elsewhere');
    if (flags.import !== undefined) refuseIdle(parsed, measuring, 'the table was measured elsewhere');
    const { findTrial } = await import('../src/experiment/deployed/found-trial.js');
    const { importTable, trainedStitches } = await import('../src/experiment/measure/foreign-table.js');
    const run = await findTrial(args.run, flags.trial);
    if (flags.form !== undefined) {
      const { formOf, writeForm } = await import('../src/experiment/measure/form.js');
      await writeForm(flags.form, formOf(run, flags.all ? await trainedStitches(run) : undefined));
      this.log(`Written: ${flags.form}`);
      return { file: flags.form };
    }
    const { renderText } = await import('../src/report/render/render-text.js');
    const { latencyView, measuredCurvesOf } = await import('../src/report/views/latency-view.js');
    const measured = flags.import
      ? await importTable(run, flags.import, flags.machine)
      : await (await import('../src/experiment/measure/measure.js')).performMeasurement(run, flags);
    const table = latencyView(measuredCurvesOf([{ machines: [measured], trials: [run] }]));
    if (table) this.log(renderText(table, process.stdout.columns));
    this.log(
      formatNextStep({
        purpose: 'Accuracy against milliseconds, drawn:',
        command: estaCommand('report', run.folder),
      }),
    );
    return measured;
  }
}
