/** The report as one HTML file that needs nothing else: no network, no library, no font. */

import { anchorLabel } from '../curves/labels.js';
import type { FigureData } from '../figures/figure-data.js';
import { htmlScript } from './html-script.js';
import { htmlStyle } from './html-style.js';
import { escapeHtml, renderHtmlTable } from './render-html.js';
import type { Table } from './table.js';

export interface HtmlReport {
  readonly title: string;
  readonly problems: readonly string[];
  /** Undefined when no trial has finished. */
  readonly figure: { readonly svg: string; readonly data: FigureData } | undefined;
  /** Further figures, without anything to point at. */
  readonly plates: readonly { readonly title: string; readonly svg: string }[];
  readonly tables: readonly Table[];
  /** Tables that are folded away at first. */
  readonly details: readonly Table[];
}

export function renderHtml({ title, problems, figure, plates, tables, details }: HtmlReport): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${htmlStyle}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${problems.length > 0 ? `<ul class="problems">${problems.map((text) => `<li>${escapeHtml(text)}</li>`).join('')}</ul>` : ''}
${figure ? figureHtml(figure.svg, figure.data) : '<p>No trial has finished yet.</p>'}
${tables.map(renderHtmlTable).join('\n')}
${plates.map(({ title: name, svg }) => `<figure class="plate" aria-label="${escapeHtml(name)}">\n${svg}\n</figure>`).join('\n')}
${details.map((table) => `<details><summary>${escapeHtml(table.title)}</summary>${renderHtmlTable(table)}</details>`).join('\n')}
</body>
</html>
`;
}

function figureHtml(svg: string, { points }: FigureData): string {
  // Points are sorted by FLOPs, so anchors are met from the smallest to the largest.
  const depths = new Map<string, number>();
  for (const { anchor, blocks } of points.flatMap(({ path }) => path)) {
    depths.set(anchor, Math.max(depths.get(anchor) ?? 0, blocks[1]));
  }
  const anchors = [...depths].map(([name, depth]) => ({ name, label: anchorLabel(name), depth }));
  const paths = Object.fromEntries(points.map(({ description, path }) => [description, path]));
  // "<" must not end the script element.
  const json = JSON.stringify({ anchors, paths }).replaceAll('<', '\\u003c');
  return `<figure class="figure">
${svg}
<div class="card" role="status" hidden></div>
</figure>
<p class="hint">Point at, touch or tab to a point (arrow keys go on) to see which blocks of which anchor it runs.</p>
<script type="application/json" id="figure-data">${json}</script>
<script type="module">${htmlScript}</script>`;
}
