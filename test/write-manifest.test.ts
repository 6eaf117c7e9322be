import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './command-line.js';

interface Manifest {
  readonly version: string;
  readonly commands: Readonly<Record<string, { readonly relativePath: readonly string[] }>>;
}

test('the build describes every command, so that help need not load them', async () => {
  const text = await readFile(path.join(projectRoot, '.oclif.manifest.json'), 'utf8');
  const { commands, version } = JSON.parse(text) as Manifest;
  const folder = path.join(projectRoot, 'commands');
  const sources = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const described = Object.values(commands).map(({ relativePath }) => relativePath.join('/'));
  assert.deepEqual(described.sort(), sources.map((name) => `dist/commands/${name.replace(/\.ts$/, '.js')}`).sort());
  assert.equal(version, JSON.parse(await readFile(path.join(projectRoot, 'package.json'), 'utf8')).version);
});
