import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderCsv } from '../../../src/report/render/render-csv.js';
import { renderHtmlTable } from '../../../src/report/render/render-html.js';
import { renderLatex } from '../../../src/report/render/render-latex.js';
import { renderMarkdown } from '../../../src/report/render/render-markdown.js';
import { renderText } from '../../../src/report/render/render-text.js';
import { measure, type Table } from '../../../src/report/render/table.js';

const table: Table = {
  name: 'example',
  title: 'An example',
  columns: [
    { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
    { key: 'method', label: 'Method', kind: 'text' },
    { key: 'accuracy', label: 'Accuracy (%)', kind: 'number' },
    { key: 'change', label: 'Change', kind: 'number', precision: 1 },
  ],
  rows: [
    {
      cells: { dataset: 'cub_200', method: 'ESTA, "PST"', accuracy: measure([80, 82]), change: { difference: -0.52 } },
    },
    { cells: { dataset: 'cub_200', method: 'a|b <c>', accuracy: 79.999, change: { difference: -0.04 } } },
    { cells: { dataset: 'cars', method: 'SN-Net', accuracy: { mark: 'failed' } }, startsGroup: true },
  ],
  notes: ['a note'],
};

test('text: aligned, rules between groups, marks explained', () => {
  assert.equal(
    renderText(table),
    `An example
────────────────────────────────────────────
Data set  Method       Accuracy (%)   Change
────────────────────────────────────────────
cub_200   ESTA, "PST"  81.00 ± 1.41     -0.5
          a|b <c>             80.00      0.0
────────────────────────────────────────────
cars      SN-Net             failed  missing
────────────────────────────────────────────
a note
failed: the trial did not finish
missing: the trial has not been run`,
  );
});

test('text: a table wider than the terminal is broken into panels that repeat the labels', () => {
  const lines = renderText(table, 36).split('\n');
  assert.ok(lines.slice(1, -3).every((line) => line.length <= 36));
  assert.equal(lines.filter((line) => line.startsWith('Data set  Method')).length, 2);
});

test('markdown: its own characters are escaped', () => {
  assert.equal(
    renderMarkdown(table),
    `### An example

| Data set | Method | Accuracy (%) | Change |
| :--- | :--- | ---: | ---: |
| cub\\_200 | ESTA, "PST" | 81.00 ± 1.41 | -0.5 |
|  | a\\|b \\<c\\> | 80.00 | 0.0 |
| cars | SN-Net | failed | missing |

- a note
- failed: the trial did not finish
- missing: the trial has not been run`,
  );
});

test('CSV: complete rows, quoted cells, deviations in a column of their own', () => {
  assert.deepEqual(renderCsv(table).split('\r\n'), [
    'Data set,Method,Accuracy (%),Accuracy (%) std,Change',
    'cub_200,"ESTA, ""PST""",81.00,1.41,-0.5',
    'cub_200,a|b <c>,80.00,n/a,0.0',
    'cars,SN-Net,failed,n/a,missing',
  ]);
});

test('CSV: the deviation of a difference, too, has a column of its own', () => {
  const column = { key: 'x', label: 'Against ESTA', kind: 'number' } as const;
  const rows = [{ cells: { x: { difference: 6.75, deviation: 1.12 } } }, { cells: { x: { difference: -1 } } }];
  const csv = renderCsv({ name: 'curves', title: '', columns: [column], rows, notes: [] });
  assert.deepEqual(csv.split('\r\n'), ['Against ESTA,Against ESTA std', '+6.75,1.12', '-1.00,n/a']);
});

test('LaTeX: booktabs rules, escaped text, a minus that is no hyphen', () => {
  const lines = renderLatex(table).split('\n');
  assert.ok(lines.includes('    cub\\_200 & ESTA, "PST" & 81.00 $\\pm$ 1.41 & $-$0.5 \\\\'));
  assert.ok(lines.includes('    Data set & Method & Accuracy (\\%) & Change \\\\'));
  assert.deepEqual(
    lines.filter((line) => line.endsWith('rule')).map((line) => line.trim()),
    ['\\toprule', '\\midrule', '\\midrule', '\\bottomrule'],
  );
});

test('LaTeX: texts stand left and numbers right; more than eight columns span both of a page', () => {
  const lines = renderLatex(table).split('\n');
  assert.ok(lines.includes('  \\begin{tabular}{llrr}'));
  const opening = (count: number) =>
    renderLatex({ ...table, columns: new Array(count).fill(table.columns[2]!) }).split('\n');
  assert.deepEqual([opening(8)[0], opening(8).at(-1)], ['\\begin{table}', '\\end{table}']);
  assert.deepEqual([opening(9)[0], opening(9).at(-1)], ['\\begin{table*}', '\\end{table*}']);
  // Were the first row to start a group, there would be two rules below the head.
  const rows = table.rows.map((row) => ({ ...row, startsGroup: true }));
  assert.equal(renderLatex({ ...table, rows }).split('\\midrule').length - 1, 3);
});

test('CSV: no spreadsheet computes a text; numbers stay', () => {
  const texts = ['=1+1', '@SUM(A1)', '- a list', '+49 30', '-0.5', 'a=b'];
  const rows = texts.map((method) => ({ cells: { method } }));
  const csv = renderCsv({ ...table, columns: [table.columns[1]!], rows });
  assert.deepEqual(csv.split('\r\n').slice(1), ["'=1+1", "'@SUM(A1)", "'- a list", "'+49 30", '-0.5', 'a=b']);
});

test('control characters of instructions and answers are spaces', () => {
  const rows = [{ cells: { method: 'two\r\nlines \u001b[31mred' } }];
  const odd = { ...table, columns: [table.columns[1]!], rows, notes: [] };
  for (const text of [renderText(odd), renderHtmlTable(odd), renderLatex(odd)])
    assert.match(text, /two lines {2}\[31mred/);
  assert.match(renderMarkdown(odd), /two lines {2}\\\[31mred/);
});

test('LaTeX: a row may begin with a bracket or an asterisk', () => {
  const rows = ['[INST]', '*'].map((method) => ({ cells: { method } }));
  const lines = renderLatex({ ...table, columns: [table.columns[1]!], rows }).split('\n');
  assert.ok(lines.includes('    {[}INST] \\\\'));
  assert.ok(lines.includes('    {*} \\\\'));
});

test('LaTeX: arrows and bars are no inverted marks', () => {
  const paths = { ...table, rows: [{ cells: { ...table.rows[0]!.cells, method: 'Ti[0-4) -> S | <b>' } }] };
  assert.match(renderLatex(paths), /Ti\[0-4\) -\$>\$ S \$\|\$ \$<\$b\$>\$/);
});

test('HTML: escaped text, marks as classes', () => {
  const html = renderHtmlTable(table);
  assert.ok(html.includes('<td class="text">a|b &lt;c&gt;</td>'));
  assert.ok(html.includes('<td class="number mark-failed">failed</td>'));
  assert.ok(html.includes('</th><td class="text">SN-Net</td>'));
});

test('mean and sample standard deviation', () => {
  // numpy: np.std([2, 4, 4, 4, 5, 5, 7, 9], ddof=1) = 2.138089935299395
  assert.deepEqual(measure([2, 4, 4, 4, 5, 5, 7, 9]), { mean: 5, deviation: 2.138089935299395, count: 8 });
  assert.equal(measure([3]).deviation, undefined);
});

test('text: long texts go over several lines and further columns into panels, so that no line is too long', () => {
  const wide: Table = {
    name: 'wide',
    title: 'A title that is longer than forty characters is wrapped as well',
    columns: [
      { key: 'name', label: 'Name', kind: 'text' },
      { key: 'accuracy', label: 'Accuracy (%)', kind: 'number' },
      { key: 'where', label: 'Where', kind: 'text' },
    ],
    rows: [
      { cells: { name: 'one', accuracy: 1, where: 'https://example.org/a/long/address/without/spaces in two words' } },
      { cells: { name: 'another one', accuracy: 22.5, where: 'here' } },
    ],
    notes: ['a note of more than forty characters, which is wrapped too'],
  };
  assert.equal(
    renderText(wide, 40),
    `A title that is longer than forty
characters is wrapped as well
─────────────────────────
Name         Accuracy (%)
─────────────────────────
one                  1.00
another one         22.50
─────────────────────────

────────────────────────────────────────
Name         Where
────────────────────────────────────────
one          https://example.org/a/long/
             address/without/spaces in
             two words
another one  here
────────────────────────────────────────
a note of more than forty characters,
which is wrapped too`,
  );
  assert.equal(renderText(wide, 0), renderText(wide), 'a terminal that does not know its width');
});
