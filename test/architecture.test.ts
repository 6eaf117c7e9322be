/** The order of the folders, proved by reading every import. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { projectRoot } from './command-line.js';

/** A folder imports from itself and from those before it. */
const order = [
  'shared',
  'config',
  'data',
  'engine',
  'models',
  'stitching',
  'training',
  'evaluation',
  'bench',
  'run-folder',
  'report',
  'experiment',
];

interface Import {
  /** Importing file, from the root of the project. */
  readonly from: string;
  /** Package or file, files from the root of the project. */
  readonly to: string;
  /** Erased by the compiler, or only loaded when a function runs. */
  readonly isTypeOnly: boolean;
  readonly isDynamic: boolean;
}

const imports = (await Promise.all((await sources('src', 'commands')).map(importsOf))).flat();

test('a folder of src imports only from folders before it', () => {
  for (const { from, to } of imports) {
    const [importer, imported] = [folderOf(from), folderOf(to)];
    if (importer === undefined || imported === undefined) continue;
    assert.ok(
      order.indexOf(imported) <= order.indexOf(importer),
      `${from} imports ${to}: ${importer} stands before ${imported}`,
    );
  }
});

test('every folder of src has its place in the order', async () => {
  const entries = await readdir(path.join(projectRoot, 'src'), { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) assert.ok(order.includes(entry.name), `src/${entry.name}`);
});

test('data and engine do not know each other', () => {
  for (const { from, to } of imports) {
    const pair = [folderOf(from), folderOf(to)];
    assert.ok(!(pair.includes('data') && pair.includes('engine')), `${from} imports ${to}`);
  }
});

test('files make no circles, not even by their types', () => {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const files = next.get(from) ?? new Set();
    next.set(from, files.add(to.replace(/\.js$/, '.ts')));
  }
  assert.deepEqual(cyclesOf(next), []);
});

test('no folder holds more than 15 files', async () => {
  const sizes = new Map<string, number>();
  for (const file of await sources('src', 'commands')) {
    const folder = path.posix.dirname(file);
    sizes.set(folder, (sizes.get(folder) ?? 0) + 1);
  }
  assert.deepEqual(
    [...sizes].filter(([, size]) => size > 15),
    [],
  );
});

test('onnxruntime is loaded in one place, which keeps it from reporting home', () => {
  const importers = imports.filter(({ to }) => to === 'onnxruntime-node').map(({ from }) => from);
  assert.deepEqual(importers, ['src/engine/onnx/runtime.ts']);
});

test('TensorFlow.js is loaded by require, in half the time', async () => {
  for (const file of await sources('src', 'commands')) {
    const text = await readFile(path.join(projectRoot, file), 'utf8');
    assert.doesNotMatch(text, /^import (?!type )[^;]* from '@tensorflow\/tfjs'/m, `${file}: import tf = require(...)`);
  }
});

test('koffi is set up in one place, before it loads a library', () => {
  const importers = imports.filter(({ to, isTypeOnly }) => to === 'koffi' && !isTypeOnly).map(({ from }) => from);
  assert.deepEqual(importers, ['src/engine/koffi.ts']);
});

test('nothing below src imports a command', () => {
  for (const { from, to } of imports) {
    assert.ok(!(from.startsWith('src/') && to.startsWith('commands/')), `${from} imports ${to}`);
  }
});

/** Packages that take longer to load than `esta --help` may take in all. */
const heavyPackages = [
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-core',
  'onnxruntime-node',
  'sharp',
  'vega',
  'vega-lite',
  'yaml',
  'zod',
];

test('commands load what computes only when they run, so that help is quick', async () => {
  for (const command of await sources('commands')) {
    const reached = new Map<string, string>([[command, command]]);
    for (const [file, way] of reached) {
      for (const { from, to, isTypeOnly, isDynamic } of imports) {
        if (from !== file || isTypeOnly || isDynamic) continue;
        assert.ok(!heavyPackages.includes(to), `${way} -> ${to}: write "await import(...)" in run()`);
        const source = to.replace(/\.js$/, '.ts');
        if (!reached.has(source)) reached.set(source, `${way} -> ${source}`);
      }
    }
  }
});

test('every command reports failures in the way of EstaCommand', async () => {
  for (const command of await sources('commands')) {
    const text = await readFile(path.join(projectRoot, command), 'utf8');
    assert.match(text, /\bextends EstaCommand\b/, `${command}: a plain oclif command loses exit statuses with --json`);
  }
});

test('only recipe tests train a network for epochs or start the program', async () => {
  for (const file of (await sources('test')).filter((name) => name.endsWith('.test.ts'))) {
    const [text, isRecipe] = [await readFile(path.join(projectRoot, file), 'utf8'), file.endsWith('.recipe.test.ts')];
    const isLong = /\bimport \{[^}]*\b(?:esta|executable|miniature|pretrain)\b[^}]*\} from /.test(text);
    assert.ok(isRecipe || !isLong, `${file}: name it *.recipe.test.ts, so that npm run test:unit stays quick`);
  }
});

/** The sets of files that reach each other, each as 'a.ts, b.ts' (Tarjan 1972), in the order of their names. */
function cyclesOf(next: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const found: string[] = [];
  const order = new Map<string, number>();
  const open: string[] = [];
  /** Returns the earliest open file that `file` reaches. */
  const visit = (file: string): number => {
    const own = order.size;
    order.set(file, own);
    open.push(file);
    let earliest = own;
    for (const other of next.get(file) ?? []) {
      if (!order.has(other)) earliest = Math.min(earliest, visit(other));
      else if (open.includes(other)) earliest = Math.min(earliest, order.get(other)!);
    }
    if (earliest === own) {
      const members = open.splice(open.indexOf(file));
      if (members.length > 1 || next.get(file)?.has(file)) found.push(members.sort().join(', '));
    }
    return earliest;
  };
  for (const file of next.keys()) if (!order.has(file)) visit(file);
  return found.sort();
}

async function sources(...folders: readonly string[]): Promise<string[]> {
  const lists = folders.map(async (folder) => {
    const names = await readdir(path.join(projectRoot, folder), { recursive: true });
    return names.filter((name) => name.endsWith('.ts')).map((name) => path.posix.join(folder, name));
  });
  return (await Promise.all(lists)).flat();
}

async function importsOf(file: string): Promise<Import[]> {
  const text = await readFile(path.join(projectRoot, file), 'utf8');
  const found = [
    ...text.matchAll(/^(?:import|export(?=(?: type)? [{*]))(?<type> type)?\b[^;'"]*?(?:\bfrom )?'(?<to>[^']+)'/gm),
    ...text.matchAll(/(?<dynamic>\bimport\()'(?<to>[^']+)'\)/g),
  ];
  return found.map(({ groups }) => {
    const to = groups!['to']!;
    return {
      from: file,
      to: to.startsWith('.') ? path.posix.join(path.posix.dirname(file), to) : to,
      isTypeOnly: groups!['type'] !== undefined,
      isDynamic: groups!['dynamic'] !== undefined,
    };
  });
}

/** The folder of src that a file belongs to; undefined for packages, commands and the executable. */
function folderOf(file: string): string | undefined {
  return /^src\/([^/]+)\//.exec(file)?.[1];
}
