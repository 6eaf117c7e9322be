/**
 * Writes the archives of a miniature data set, exactly in the official layout, to try the data pipeline:
 *
 *   node dist/data-scripts/make-miniature.js cub-200-2011 /tmp/downloads
 *   esta data prepare cub-200-2011 --from /tmp/downloads --no-verify --root /tmp/data
 */
import { mkdir } from 'node:fs/promises';
import { writeDownload } from './miniature/download.js';
import { miniatures } from './miniature/miniatures.js';

const [name = '', folder] = process.argv.slice(2);
const build = miniatures[name];
if (build === undefined || folder === undefined) {
  process.stderr.write(`usage: make-miniature NAME FOLDER\nNAME is one of ${Object.keys(miniatures).join(', ')}\n`);
  process.exitCode = 2;
} else {
  await mkdir(folder, { recursive: true });
  const files = await writeDownload((await build()).download, folder);
  process.stdout.write(`${files.join('\n')}\n`);
}
