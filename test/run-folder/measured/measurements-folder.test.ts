import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fingerprintOf, parseMeasurements } from '../../../src/run-folder/measured/measurement.js';
import { measurementsFile, readMachines, writeMachine } from '../../../src/run-folder/measured/measurements-folder.js';
import { readRunFolder } from '../../../src/run-folder/run-folder.js';
import { temporaryFolder, writeRunFolder } from '../run-folder-fixture.js';
import { machine, result } from './measured-fixture.js';

test('a machine is written and read again; trials that are not measured anew stay', async () => {
  const folder = await temporaryFolder();
  const first = machine('laptop');
  const file = await writeMachine(folder, first);
  assert.equal(file, path.join(folder, 'measurements', 'laptop.json'));
  const other = { ...first.trials[0]!, trial: 'beetles-esta-seed1' };
  await writeMachine(folder, { ...first, trials: [other] });
  const problems: string[] = [];
  const [read, ...rest] = await readMachines(folder, problems);
  assert.deepEqual([rest, problems], [[], []]);
  assert.deepEqual(
    read!.trials.map(({ trial }) => trial),
    ['beetles-esta-seed0', 'beetles-esta-seed1'],
  );
  const faster = { ...other, stitches: other.stitches.slice(0, 1) };
  await writeMachine(folder, { ...first, trials: [faster] });
  const again = parseMeasurements(JSON.parse(await readFile(file, 'utf8')), file);
  assert.deepEqual(again.trials, [first.trials[0], faster]);
});

test('a file that cannot be read is a problem of the report, not its end', async () => {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, 'measurements'));
  const write = (name: string, content: object) =>
    writeFile(path.join(folder, 'measurements', name), JSON.stringify(content));
  await write('old.json', { ...machine('old'), version: 99 });
  await write('wrong.json', { ...machine('wrong'), runtime: 5 });
  await write('good.json', machine('good'));
  const problems: string[] = [];
  const machines = await readMachines(folder, problems);
  assert.deepEqual(
    machines.map(({ machine }) => machine),
    ['good'],
  );
  assert.match(problems.join('\n'), /old\.json has format 99.*\n.*wrong\.json is not valid:\n {2}runtime: /);
});

test('a machine whose file was copied counts once, and a problem says so', async () => {
  const folder = await temporaryFolder();
  await writeMachine(folder, machine('phone'));
  await writeFile(path.join(folder, 'measurements', 'phone-old.json'), JSON.stringify(machine('phone')));
  const problems: string[] = [];
  assert.equal((await readMachines(folder, problems)).length, 1);
  assert.match(problems.join(), /phone\.json is left out: another file holds what phone has measured, too$/);
});

test('names of machines cannot leave the folder', () => {
  for (const name of ['../x', 'a/b', '', '.hidden', 'a b']) {
    assert.throws(() => measurementsFile('run', name), { name: 'RequestError', message: /--machine/ });
  }
});

test('a report says that a trial has changed since it was measured', async () => {
  const folder = await writeRunFolder([{}]);
  const [trial] = (await readRunFolder(folder)).trials;
  const measured = (fingerprint: string) => {
    const { trials, ...table } = machine('laptop');
    return { ...table, trials: [{ ...trials[0]!, trial: trial!.name, fingerprint }] };
  };
  await writeMachine(folder, measured(fingerprintOf(trial!.result!)));
  assert.deepEqual((await readRunFolder(folder)).problems, []);
  await writeMachine(folder, measured('0123456789ab'));
  assert.match((await readRunFolder(folder)).problems.join(), /laptop has measured of .* is of other stitches/);
});

test('the fingerprint is that of what costs depend on', () => {
  const own = fingerprintOf(result);
  const [first, ...others] = result.stitches;
  const changed = (stitch: object) => ({ ...result, stitches: [{ ...first!, ...stitch }, ...others] });
  assert.equal(fingerprintOf(changed({ accuracy: 1 })), own);
  for (const other of [
    { ...result, seed: 1 },
    { ...result, settings: 'x' },
    changed({ flops: 1 }),
    changed({ id: 9 }),
  ]) {
    assert.notEqual(fingerprintOf(other), own);
  }
});
