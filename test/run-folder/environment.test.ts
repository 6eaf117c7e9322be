/** A run folder that was copied goes on by itself, not with the one that it was copied from. */
import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { commandInto } from '../../src/run-folder/environment.js';
import { commandOf, readRunFolder } from '../../src/run-folder/run-folder.js';
import { writeRunFolder } from './run-folder-fixture.js';

test('the command of a folder that was not moved is what was typed', () => {
  const typed = "esta run 'my file.yaml' --set training.epochs=5 --out runs/a/ --engine auto";
  assert.equal(commandInto('runs/a', typed, 'b'), typed);
  assert.equal(commandInto(path.resolve('runs/a'), typed), typed);
  assert.equal(commandInto('runs/a', 'esta run quickstart --out=runs/a'), 'esta run quickstart --out=runs/a');
  assert.equal(commandInto('runs/quickstart', 'esta run quickstart', 'quickstart'), 'esta run quickstart');
});

test('that of another folder names the one that is given, and keeps all else', () => {
  assert.equal(
    commandInto('copies/my a', "esta run 'my file.yaml' --out runs/a --set data.root=./x"),
    "esta run 'my file.yaml' --out 'copies/my a' --set data.root=./x",
  );
  assert.equal(commandInto('b', 'esta run x --out=a --engine auto'), 'esta run x --out b --engine auto');
  assert.equal(commandInto('runs/b', 'esta run x', 'a'), 'esta run x --out runs/b');
  assert.equal(commandInto('runs/b', 'esta run x'), 'esta run x --out runs/b', 'of a name that is not known');
});

test('from another folder the command begins with going where it was typed, as long as that is there', async () => {
  const folder = await writeRunFolder([{}], 'first');
  const command = 'esta run first.yaml --set data.root=photos';
  const noted = async (environment: object) => {
    await writeFile(path.join(folder, 'environment.json'), JSON.stringify({ command, trials: [], ...environment }));
    return commandOf(await readRunFolder(folder));
  };
  const typedIn = path.dirname(folder);
  assert.equal(
    await noted({ working_folder: typedIn }),
    `cd ${typedIn} && esta run first.yaml --set data.root=photos --out ${folder}`,
  );
  assert.equal(await noted({ working_folder: '/nowhere' }), `${command} --out ${folder}`);
  assert.equal(await noted({ working_folder: process.cwd() }), `${command} --out ${folder}`);
});

test('a copy of a run folder', async () => {
  const folder = await writeRunFolder([{}], 'first');
  const command = `esta run first.yaml --out ${folder}`;
  await writeFile(path.join(folder, 'environment.json'), JSON.stringify({ command, trials: [] }));
  const copy = path.join(path.dirname(folder), 'second');
  await cp(folder, copy, { recursive: true });
  assert.equal(commandOf(await readRunFolder(folder)), command);
  assert.equal(commandOf(await readRunFolder(copy)), `esta run first.yaml --out ${copy}`);

  // Without --out the name of the experiment names the folder.
  await writeFile(path.join(copy, 'environment.json'), JSON.stringify({ command: 'esta run first.yaml' }));
  assert.equal(commandOf(await readRunFolder(copy)), `esta run first.yaml --out ${copy}`);
  const started = process.cwd();
  process.chdir(path.dirname(folder));
  try {
    await cp(copy, path.join('runs', 'first'), { recursive: true });
    assert.equal(commandOf(await readRunFolder('runs/first')), 'esta run first.yaml');
  } finally {
    process.chdir(started);
  }
});
