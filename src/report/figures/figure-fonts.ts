/**
 * Fonts for the PNG figures. sharp draws text through fontconfig, which finds no font on a bare server or container and
 * then draws empty boxes. So it is pointed at the DejaVu fonts of the npm package, and at nothing else: the same figure
 * everywhere.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

let provided: Promise<void> | undefined;

/**
 * Points fontconfig at the packaged fonts. It reads its environment once, when the first text is drawn in the process,
 * so this runs before any SVG goes to sharp; that sharp has decoded images before does not matter.
 */
export function provideFonts(): Promise<void> {
  provided ??= writeConfiguration();
  return provided;
}

async function writeConfiguration(): Promise<void> {
  const fonts = path.join(path.dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-fonts-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'fonts.conf');
  await writeFile(
    file,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${escaped(fonts)}</dir>
  <cachedir>${escaped(path.join(folder, 'cache'))}</cachedir>
</fontconfig>
`,
  );
  process.env['FONTCONFIG_FILE'] = file;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
