/** What the documentation names is there. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { exists } from '../src/shared/files.js';
import { projectRoot } from './command-line.js';

const pages = ['README.md', ...(await readdir(path.join(projectRoot, 'docs'))).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
);

for (const page of pages) {
  test(`${page}: files and folders of the project that it names are there, and so are its links`, async () => {
    const text = await readFile(path.join(projectRoot, page), 'utf8');
    const named = [...text.matchAll(/`((?:src|test|docs|experiments|commands|data-scripts)\/[\w./-]+)`/g)].map(
      ([, name]) => path.join(projectRoot, name!),
    );
    const linked = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, name]) =>
      path.join(projectRoot, path.dirname(page), decodeURI(name!)),
    );
    for (const file of [...named, ...linked]) assert.ok(await exists(file), path.relative(projectRoot, file));
  });
}
