/** Draws figures without a display: Vega-Lite to SVG by Vega, SVG to PNG by sharp. Both are loaded on first use. */
import type { TopLevelSpec } from 'vega-lite';
import { provideFonts } from './figure-fonts.js';

/** The figure as an SVG document. */
export async function figureSvg(spec: TopLevelSpec): Promise<string> {
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** The SVG as PNG, `scale` pixels for each of its units; default 2. */
export async function figurePng(svg: string, scale = 2): Promise<Buffer> {
  await provideFonts();
  const { default: sharp } = await import('sharp');
  // 72 dots per inch are one pixel a unit.
  return sharp(Buffer.from(svg), { density: 72 * scale })
    .png({ compressionLevel: 9 })
    .toBuffer();
}
