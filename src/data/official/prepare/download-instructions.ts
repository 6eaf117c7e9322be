/** What a person does to get an official data set: nothing is downloaded by the program. */
import type { OfficialSpec } from '../layouts/layout.js';

/** One line for each step, the last a command. */
export function downloadInstructions({
  name,
  title,
  archives,
  looseFiles,
  files,
  where,
  size,
}: OfficialSpec): string[] {
  const all = [...archives, ...looseFiles].map(({ file }) => file).join(', ');
  const command = name.startsWith('vtab-') ? 'vtab-1k' : name;
  return [
    `Download ${title} (${size}) from ${where}`,
    `The files are ${files ?? all}`,
    `Then: esta data prepare ${command} --from DOWNLOADS --root DATA`,
  ];
}
