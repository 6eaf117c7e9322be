import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { importTable } from '../../../src/experiment/measure/foreign-table.js';
import { formOf, writeForm } from '../../../src/experiment/measure/form.js';
import { fingerprintOf } from '../../../src/run-folder/measured/measurement.js';
import { machine, measuredRun, name, result } from '../../run-folder/measured/measured-fixture.js';
import { temporaryFolder } from '../../run-folder/run-folder-fixture.js';

/** The form with times filled in, by stitch. */
function filled(times: Readonly<Record<string, string>>): string {
  const [header, ...rows] = formOf(measuredRun()).trimEnd().split('\n');
  return [
    header,
    ...rows.map((row) => row.replace(/^(.*,.*,(\d+),.*,1),,/, (_, start, id) => `${start},${times[id]},`)),
  ].join('\n');
}

/** What was trained: all that is deployed, and one that is not. */
const trained = async () => [...result.stitches, { id: 40, flops: 5e6 }];

async function inFolder() {
  const folder = await temporaryFolder();
  const write = async (name: string, text: string) => {
    await writeFile(path.join(folder, name), text);
    return path.join(folder, name);
  };
  return { run: { ...measuredRun(), folder }, write };
}

test('a form that was filled in becomes the measurements of its machine', async () => {
  const { run, write } = await inFolder();
  const file = await write('phone.csv', filled({ 3: '8.5', 5: '21', 7: '30' }));
  const measured = await importTable(run, file, 'phone');
  assert.deepEqual(measured.trials, [
    {
      trial: name,
      fingerprint: fingerprintOf(result),
      stitches: [
        { id: 7, flops: 90e6, latencies: [{ batch: 1, median_ms: 30 }] },
        { id: 3, flops: 20e6, latencies: [{ batch: 1, median_ms: 8.5 }] },
        { id: 5, flops: 40e6, latencies: [{ batch: 1, median_ms: 21 }] },
      ],
    },
  ]);
  assert.deepEqual(JSON.parse(await readFile(path.join(run.folder, 'measurements', 'phone.json'), 'utf8')), measured);
});

test('rows of JSON, of several batches; a file of esta measure keeps its name', async () => {
  const { run, write } = await inFolder();
  const row = { trial: name, fingerprint: fingerprintOf(result), stitch: 3, median_ms: 8 };
  const rows = [
    { ...row, p90_ms: 9, file_bytes: null, peak_memory_bytes: '' },
    { ...row, batch: 4, median_ms: 20, file_bytes: 850_000, peak_memory_bytes: 3e6 },
    { ...row, batch: 8, median_ms: 30, p90_ms: null },
  ];
  const { trials } = await importTable(run, await write('rows.json', JSON.stringify(rows)), 'board');
  const latencies = [
    { batch: 1, median_ms: 8, p90_ms: 9 },
    { batch: 4, median_ms: 20 },
    { batch: 8, median_ms: 30 },
  ];
  const bytes = { file_bytes: 850_000, peak_memory_bytes: 3e6 };
  assert.deepEqual(trials[0]!.stitches, [{ id: 3, flops: 20e6, ...bytes, latencies }]);
  const own = await importTable(run, await write('own.json', JSON.stringify(machine('laptop'))));
  assert.deepEqual(own, machine('laptop'));
  // A machine that has measured the whole space knows stitches that are not deployed.
  const [trial] = machine('laptop').trials;
  const whole = [{ ...trial!, stitches: [...trial!.stitches, { ...trial!.stitches[0]!, id: 40, flops: 5e6 }] }];
  const wholeFile = await write('all.json', JSON.stringify({ ...machine('laptop'), trials: whole }));
  const all = await importTable(run, wholeFile, undefined, trained);
  assert.equal(all.trials[0]!.stitches.length, 4);
  // So does a form of the whole space.
  const form = formOf(run, [...result.stitches, { id: 40, flops: 5e6 }]).replaceAll(',1,,', ',1,7,');
  const filledIn = await importTable(run, await write('form.csv', form), 'board', trained);
  assert.deepEqual(
    filledIn.trials[0]!.stitches.map(({ id, flops }) => [id, flops]),
    [...result.stitches.map(({ id, flops }) => [id, flops]), [40, 5e6]],
  );
});

test('a table of another run is refused, and says how to get a form of this one', async () => {
  const { run, write } = await inFolder();
  const hint = /esta measure .* --trial beetles-esta-seed0 --form form\.csv/;
  const row = { trial: name, fingerprint: fingerprintOf(result), stitch: 3, median_ms: 8 };
  const refused = async (content: unknown, message: RegExp) => {
    const file = await write('table.json', JSON.stringify(content));
    await assert.rejects(importTable(run, file, 'phone'), { name: 'RequestError', message, hint });
  };
  await refused([{ ...row, fingerprint: '0123456789ab' }], /another run: its fingerprint is 0123456789ab/);
  await refused([{ ...row, trial: 'other-esta-seed0' }], /no row is of beetles-esta-seed0/);
  const { trials } = machine('laptop');
  await refused({ ...machine('laptop'), trials: [{ ...trials[0]!, trial: 'other' }] }, /it is of other/);
  await refused({ ...machine('laptop'), trials: [{ ...trials[0]!, fingerprint: 'x' }] }, /its fingerprint is x/);
});

test('a row without a stitch is none of stitch 0', async () => {
  const { run, write } = await inFolder();
  const file = await write('phone.csv', filled({ 3: '8.5', 5: '21', 7: '30' }).replace(/,7,90000000,/, ',,90000000,'));
  await assert.rejects(importTable(run, file, 'phone'), { message: /row 1 is not valid:\n {2}stitch: / });
});

test('what another machine of the same name has measured does not replace what was measured here', async () => {
  const { run, write } = await inFolder();
  const here = { ...machine('host'), processor: 'AMD EPYC' };
  const measured = { ...run, machines: [here] };
  const other = await write('other.json', JSON.stringify({ ...machine('host'), processor: 'Cortex' }));
  await assert.rejects(importTable(measured, other), {
    message: /host has been measured by esta measure .*other\.json would replace that/,
    hint: /--machine another name/,
  });
  assert.equal((await importTable(measured, other, 'board')).machine, 'board');
  assert.equal((await importTable(measured, await write('own.json', JSON.stringify(here)))).machine, 'host');
});

test('fewer rounds do not replace more, nor a measurement a table from elsewhere with other trials', async () => {
  const { run, write } = await inFolder();
  const withRounds = (rounds: number) => ({
    ...machine('host'),
    processor: 'AMD EPYC',
    trials: machine('host').trials.map((trial) => ({ ...trial, rounds })),
  });
  const measured = { ...run, machines: [withRounds(10)] };
  const few = await write('few.json', JSON.stringify(withRounds(1)));
  await assert.rejects(importTable(measured, few), {
    message: /measured by esta measure .*few\.json would replace that/,
  });
  const more = await write('more.json', JSON.stringify(withRounds(20)));
  assert.equal((await importTable(measured, more)).machine, 'host');

  const [trial] = machine('host').trials;
  const elsewhere = { ...machine('host'), trials: [{ ...trial!, trial: 'beetles-esta-seed1' }] };
  await assert.rejects(importTable({ ...run, machines: [elsewhere] }, more), {
    message: /host has a table from elsewhere .* with other trials, and .*more\.json is a measurement of esta measure/,
  });
  // What it has of this trial before that was trained anew is worth nothing.
  const before = { ...withRounds(10), trials: [{ ...trial!, fingerprint: 'another' }] };
  assert.equal((await importTable({ ...run, machines: [before] }, few)).machine, 'host');
});

test('a stitch that there is not, FLOPs of another one and a p90 below the median are refused by row', async () => {
  const { run, write } = await inFolder();
  const hint = /\nNext: esta measure .* --trial beetles-esta-seed0 --all --form form\.csv$/;
  const refused = async (file: string, message: string) =>
    assert.rejects(importTable(run, file, 'phone', trained), {
      ...{ name: 'RequestError', message: `${file}${message}`, hint },
    });
  const row = { trial: name, fingerprint: fingerprintOf(result), stitch: 3, flops: 20e6, median_ms: 8 };
  const rows = async (...second: object[]) =>
    write('rows.json', JSON.stringify([{ ...row, stitch: 40, flops: 5e6 }, ...second]));
  await refused(
    await rows({ ...row, stitch: 999 }),
    ', row 2 is not valid:\n  stitch: expected one of 3, 5, 7, 40, those of beetles-esta-seed0, received 999',
  );
  await refused(
    await rows({ ...row, flops: 40e6 }),
    ', row 2 is not valid:\n  flops: expected 20000000, those of stitch 3, received 40000000',
  );
  await refused(
    await rows({ ...row, p90_ms: 7.9 }),
    ', row 2 is not valid:\n  p90_ms: expected at least the median_ms, 8, received 7.9',
  );
  // Spreadsheets round large numbers; a row may leave them out.
  const whole = await importTable(run, await rows({ ...row, flops: 2.01e7 - 1e4 * 0.5, p90_ms: 8 }), 'phone', trained);
  assert.equal(whole.trials[0]!.stitches[1]!.flops, 20e6);
  const { flops: _, ...bare } = row;
  const few = await importTable(
    run,
    await write('bare.json', JSON.stringify([{ ...bare, stitch: 40 }])),
    'tv',
    trained,
  );
  assert.equal(few.trials[0]!.stitches[0]!.flops, 5e6);
  const laptop = machine('laptop', { 3: [2, 1.5] });
  await refused(
    await write('own.json', JSON.stringify(laptop)),
    ', stitch 3 with batch 1 is not valid:\n  p90_ms: expected at least the median_ms, 2, received 1.5',
  );
});

test('a table that cannot be read is refused by row and column', async () => {
  const { run, write } = await inFolder();
  const file = await write('phone.csv', filled({ 3: '8.5', 5: '21', 7: 'fast' }));
  await assert.rejects(importTable(run, file, 'phone'), {
    message: /phone\.csv, row \d is not valid:\n {2}median_ms: expected a number above 0, received "fast"$/,
  });
  const empty = await write('empty.csv', filled({ 3: '8.5', 5: '21', 7: '' }));
  await assert.rejects(importTable(run, empty, 'phone'), {
    message: /empty\.csv, row \d is not valid:\n {2}median_ms: expected a number above 0, received nothing$/,
    hint: /^Every row needs its median_ms; /,
  });
  await assert.rejects(importTable(run, file), { message: /on which machine/, hint: /--machine NAME/ });
  await assert.rejects(importTable(run, path.join(run.folder, 'none.csv'), 'phone'), {
    message: /none\.csv cannot be read \(ENOENT\)$/,
    hint: 'Check the path: there is no such file.',
  });
});

test('decimal commas, other separators and times that stand twice are refused, not misread', async () => {
  const { run, write } = await inFolder();
  const refused = async (text: string, message: RegExp, hint: RegExp) =>
    assert.rejects(importTable(run, await write('phone.csv', text), 'phone'), { name: 'RequestError', message, hint });
  const point = /commas between the columns.*decimals with a point: 2\.05/;
  await refused(filled({ 3: '8,5', 5: '21,0', 7: '30,5' }), /row 1 has 10 cells, .* 9 columns: .*,1,30,5,/, point);
  const form = filled({ 3: '8.5', 5: '21', 7: '30' });
  await refused(form.replaceAll(',', ';'), /phone\.csv has semicolons between its columns/, point);
  await refused(form.replaceAll(',', '\t'), /phone\.csv has tabs between its columns/, point);
  const again = form.split('\n').at(-1)!.replace(',21,', ',210,');
  await refused(`${form}\n${again}`, /two rows of stitch 5 with batch 1; expected one/, /Leave the right one/);
});

test('a file without rows, without the columns of the form or in UTF-16 is said to be just that', async () => {
  const { run, write } = await inFolder();
  const refused = async (file: string, message: string, hint: RegExp) =>
    assert.rejects(importTable(run, file, 'phone'), { name: 'RequestError', message: `${file} ${message}`, hint });
  const form = filled({ 3: '8.5', 5: '21', 7: '30' });
  const next = /^A form to be filled in:\nNext: esta measure .* --form form\.csv$/;
  for (const text of ['', '\n', `${form.split('\n')[0]}\n`])
    await refused(await write('a.csv', text), 'holds no rows', next);
  await refused(await write('a.json', '[]'), 'holds no rows', next);

  const needed = /^Needed are trial, fingerprint, stitch, median_ms; columns are trial, /;
  const lacks = 'has no columns trial, fingerprint, stitch, median_ms: it is no form of esta measure --form';
  await refused(await write('names.csv', 'name,age\nann,9\n'), lacks, needed);
  await refused(await write('names.json', '[{}]'), lacks, needed);
  const untimed = form.replace(',median_ms,', ',time,');
  await refused(
    await write('untimed.csv', untimed),
    'has no column median_ms: it is no form of esta measure --form',
    needed,
  );
  const file = await write('16.csv', '');
  for (const mark of ['', '\uFEFF']) {
    await writeFile(file, `${mark}${form}`, 'utf16le');
    await refused(file, 'is no CSV in UTF-8', /^Save it as "CSV UTF-8"/);
  }
  const blank = await write('blank.csv', form.replace(name, ''));
  await assert.rejects(importTable(run, blank, 'phone'), {
    message: /row 1 is not valid:\n {2}trial: expected what esta measure --form writes, received nothing$/,
  });
});

test('quoted cells, empty lines, a byte order mark and line ends of Windows are read', async () => {
  const { run, write } = await inFolder();
  const [header, ...rows] = filled({ 3: '8.5', 5: '21', 7: '30' }).split('\n');
  const quoted = rows.map((row) => row.replace(name, `"${name}"`));
  const text = `\uFEFF${[header, ...quoted, '', ',,,,,,,,', ''].join('\r\n')}`;
  const { trials } = await importTable(run, await write('phone.csv', text), 'phone');
  assert.deepEqual(
    trials[0]!.stitches.map(({ id, latencies }) => [id, latencies[0]!.median_ms]),
    [
      [7, 30],
      [3, 8.5],
      [5, 21],
    ],
  );
});

test('a form does not replace what esta measure has measured; its own name is free, and another form replaces it', async () => {
  const { run, write } = await inFolder();
  const file = await write('form.csv', filled({ 3: '8.5', 5: '21', 7: '30' }));
  const box = { ...machine('box'), processor: 'AMD EPYC' };
  const single = machine('phone').trials.map((trial) => ({
    ...trial,
    stitches: trial.stitches.map((stitch) => ({ ...stitch, latencies: stitch.latencies.slice(0, 1) })),
  }));
  const measured = { ...run, machines: [box, { ...machine('phone'), trials: single }] };
  await assert.rejects(importTable(measured, file, 'box'), {
    message: `box has been measured by esta measure (${box.runtime}), and ${file} would replace that`,
    hint: `Give --machine another name, or remove ${path.join(run.folder, 'measurements', 'box.json')}.`,
  });
  assert.equal((await importTable(measured, file, 'phone')).machine, 'phone');
  // A file of esta measure is newer than the one that it replaces.
  const own = await write('own.json', JSON.stringify(box));
  assert.deepEqual(await importTable(measured, own), box);
  const threads = await write(
    'threads.json',
    JSON.stringify({ ...box, runtime: box.runtime.replace('2 thr', '4 thr') }),
  );
  await assert.rejects(importTable(measured, threads), {
    message: /by esta measure .*threads\.json would replace that/,
  });
});

test('a table that lacks rows of the one of before does not replace it; one that has them all does', async () => {
  const { run, write } = await inFolder();
  const before = { ...machine('phone'), runtime: 'measured elsewhere, whole.csv' };
  const measured = { ...run, machines: [before] };
  const [header, ...rows] = filled({ 3: '8.5', 5: '21', 7: '30' }).split('\n');
  const file = await write('few.csv', [header, ...rows.slice(0, 2)].join('\n'));
  const kept = path.join(run.folder, 'measurements', 'phone.json');
  await assert.rejects(importTable(measured, file, 'phone'), {
    name: 'RequestError',
    message: `phone has 6 times of ${name} (measured elsewhere, whole.csv), and ${file}, with 2 times, would lose stitch 7 with batch 8, stitch 3 with batch 8, stitch 5 with batch 1, stitch 5 with batch 8`,
    hint: `Times of one measurement belong together: add what is missing, give --machine another name, or remove ${kept}.`,
  });
  assert.equal((await importTable(measured, file, 'watch')).machine, 'watch');
  const retrained = { ...run, result: { ...run.result, seed: 1 } };
  const form = formOf(retrained).replaceAll(',1,,', ',1,7,');
  await importTable({ ...retrained, machines: [before] }, await write('new.csv', form), 'phone');
  const whole = [1, 8].flatMap((batch) => rows.map((row) => row.replace(/,1,([^,]+),/, `,${batch},$1,`)));
  await importTable(measured, await write('whole.csv', [header, ...whole].join('\n')), 'phone');
});

test('a form replaces an empty one, and nothing that somebody has filled in', async () => {
  const { run, write } = await inFolder();
  const form = formOf(run);
  const file = await write('form.csv', form.split('\n').slice(0, 3).join('\n'));
  await writeForm(file, form);
  assert.equal(await readFile(file, 'utf8'), form);
  for (const content of [filled({ 3: '8.5', 5: '21', 7: '30' }), 'name,age\n', '']) {
    await write('form.csv', content);
    await assert.rejects(writeForm(file, form), {
      ...{ name: 'RequestError', message: `${file} is there, and no empty form: it would be replaced` },
    });
    assert.equal(await readFile(file, 'utf8'), content);
  }
});
