import { EstaCommand } from '../../src/shared/command.js';

interface ListedDataset {
  name: string;
  title: string;
  classes: number;
  images: number;
  size: string;
  where: string;
  archives: string[];
}

export default class DataList extends EstaCommand {
  static override summary = 'List the official data sets, their sizes and where to download them';
  static override description =
    'Nothing is downloaded for you: most data sets need a form, an account or a licence that you accept.';
  static override examples = ['<%= config.bin %> data list'];

  async run(): Promise<{ datasets: ListedDataset[] }> {
    await this.parse(DataList);
    const { officialSpecs } = await import('../../src/data/official/registry.js');
    const datasets = officialSpecs.map(({ name, title, classes, counts, size, where, archives, looseFiles }) => ({
      name,
      title,
      classes,
      images: counts.train + counts.val + counts.test,
      size,
      where,
      archives: [...archives, ...looseFiles].map(({ file }) => file),
    }));
    const rows = datasets.map((set) => [set.name, String(set.classes), String(set.images), set.size, set.where]);
    for (const line of alignedColumns([['name', 'classes', 'images', 'size', 'where'], ...rows])) this.log(line);
    return { datasets };
  }
}

function alignedColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const isNumber = (column: number) => column === 1 || column === 2;
  return rows.map((row) =>
    row
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}
