/**
 * Run by `npm run docs`: writes what follows from the schemas of experiment and pretraining files, the JSON Schemas that
 * the shipped files name and the reference page. `node dist/src/write-docs.js DIR` writes them into another folder.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConfigurationKind, jsonSchemaOf, schemaFile } from './config/json-schema.js';
import { type ReferenceSection, referenceOf } from './config/reference.js';
import { renderMarkdown } from './report/render/render-markdown.js';

/** `dist/src/` is two folders below the root of the project. */
const folder = process.argv[2] ?? fileURLToPath(new URL('../..', import.meta.url));

const introductions: Readonly<Record<ConfigurationKind, string>> = {
  experiment: `# Experiment files

What \`esta run\` reads. Unknown keys are refused. \`--set path=value\` replaces one value: \`--set training.epochs=5\`,
\`--set anchors.Ti.checkpoint=ti.safetensors\`. Relative paths count from the folder of the file, those of \`--set\`
from the working folder; of a shipped experiment that is called by its name, from \`experiments/\` there. This page and
\`experiments/*.schema.json\` are written by \`npm run docs\` from the schemas in \`src/config/schema\`. Editors with
the YAML language server check a file as you type when its first line is

    # yaml-language-server: $schema=PATH/TO/experiments/experiment.schema.json`,
  pretraining: `# Pretraining files

What \`esta pretrain\` reads; the schema is \`experiments/pretraining.schema.json\`.`,
};

function page(): string {
  const parts = (['experiment', 'pretraining'] as const).flatMap((kind) => [
    introductions[kind],
    ...referenceOf(jsonSchemaOf(kind)).map(section),
  ]);
  return `${parts.join('\n\n')}\n`;
}

function section({ title, description, entries }: ReferenceSection): string {
  if (entries.length === 0) return `### ${title}\n\n${description}`;
  return renderMarkdown({
    name: title,
    title: title || 'At the top',
    columns: [
      { key: 'key', label: 'Key', kind: 'text' },
      { key: 'type', label: 'Value', kind: 'text' },
      { key: 'fallback', label: 'Default', kind: 'text' },
      { key: 'description', label: 'Meaning', kind: 'text' },
      { key: 'source', label: 'Source', kind: 'text' },
    ],
    rows: entries.map((entry) => ({ cells: { ...entry } })),
    notes: description ? [description] : [],
  });
}

const files = {
  'docs/experiment-files.md': page(),
  'experiments/experiment.schema.json': schemaFile('experiment'),
  'experiments/pretraining.schema.json': schemaFile('pretraining'),
};

for (const [name, content] of Object.entries(files)) {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}
