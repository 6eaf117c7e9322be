import { Args } from '@oclif/core';
import type { Table } from '../../src/report/render/table.js';
import { EstaCommand } from '../../src/shared/command.js';
import { estaCommand, formatNextStep } from '../../src/shared/next-step.js';

interface ListedDataset {
  name: string;
  title: string;
  classes: number;
  images: number;
  size: string;
  where: string;
  archives: string[];
  md5: Record<string, string>;
  instructions: string[];
}

export default class DataList extends EstaCommand {
  static override summary = 'List the official data sets; of one, say how to download it';
  static override description =
    'Nothing is downloaded for you: most data sets need a form, an account or a licence that you accept.';
  static override examples = ['<%= config.bin %> data list', '<%= config.bin %> data list stanford-cars'];
  static override args = {
    name: Args.string({ description: 'Data set, or vtab-1k for all its tasks; left out: all data sets' }),
  };

  async run(): Promise<{ datasets: ListedDataset[] }> {
    const { args } = await this.parse(DataList);
    const { findOfficial, officialSpecs } = await import('../../src/data/official/registry.js');
    const { renderText } = await import('../../src/report/render/render-text.js');
    const { downloadInstructions } = await import('../../src/data/official/prepare/download-instructions.js');
    const specs = args.name === undefined ? officialSpecs : findOfficial(args.name);
    const datasets = specs.map((spec) => {
      const { name, title, classes, counts, size, where } = spec;
      const files = [...spec.archives, ...spec.looseFiles];
      return {
        name,
        title,
        classes,
        images: counts.train + counts.val + counts.test,
        size,
        where,
        archives: files.map(({ file }) => file),
        md5: Object.fromEntries(files.flatMap(({ file, md5 }) => (md5 === undefined ? [] : [[file, md5]]))),
        instructions: downloadInstructions(spec),
      };
    });
    this.log(renderText(tableOf(datasets), process.stdout.columns));
    if (args.name === undefined) {
      const command = estaCommand('data', 'list', datasets[0]!.name);
      this.log(`\n${formatNextStep({ purpose: 'Which files to download for one of them:', command })}`);
    } else this.printDownload(datasets[0]!);
    return { datasets };
  }

  /** Of the first of several tasks: they come in one archive. */
  private printDownload({ instructions, md5 }: ListedDataset): void {
    this.log();
    for (const line of instructions) this.log(line);
    for (const [file, sum] of Object.entries(md5)) this.log(`  MD5 ${sum}  ${file}`);
  }
}

function tableOf(datasets: readonly ListedDataset[]): Table {
  return {
    name: 'data-sets',
    title: 'Official data sets',
    columns: [
      { key: 'name', label: 'Name', kind: 'text' },
      { key: 'classes', label: 'Classes', kind: 'number', precision: 0 },
      { key: 'images', label: 'Images', kind: 'number', precision: 0 },
      { key: 'size', label: 'Size', kind: 'text' },
      { key: 'where', label: 'Where', kind: 'text' },
    ],
    rows: datasets.map(({ name, classes, images, size, where }) => ({
      cells: { name, classes, images, size, where },
    })),
    notes: [],
  };
}
