/** A row of squares for each anchor, small to large; those that the stitch runs are filled, and a line leads from one to the next. */
const namespace = 'http://www.w3.org/2000/svg';
const [cell, gap, left, rowHeight] = [18, 4, 64, 30];

export function drawBlocks(svg, anchors, path) {
  const columns = Math.max(...anchors.map(({ blocks }) => blocks));
  const [width, height] = [left + columns * (cell + gap), anchors.length * rowHeight];
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.replaceChildren();
  const rowOf = (name) => anchors.findIndex((anchor) => anchor.name === name);
  const x = (block) => left + block * (cell + gap);
  const y = (row) => row * rowHeight + (rowHeight - cell) / 2;
  for (const [row, { name, blocks }] of anchors.entries()) {
    const segment = path.find(({ anchor }) => anchor === name);
    add(svg, 'text', { x: 0, y: y(row) + 14, fill: 'currentColor', 'font-size': 14 }).textContent = name;
    for (let block = 0; block < blocks; block++) {
      const isRun = segment && block >= segment.blocks[0] && block < segment.blocks[1];
      const fill = isRun ? `hsl(${205 + 65 * row} 65% 50%)` : '#8883';
      add(svg, 'rect', { x: x(block), y: y(row), width: cell, height: cell, rx: 3, fill });
    }
  }
  for (let index = 1; index < path.length; index++) {
    const [from, to] = [path[index - 1], path[index]];
    const [x1, y1] = [x(from.blocks[1] - 1) + cell / 2, y(rowOf(from.anchor)) + cell];
    const [x2, y2] = [x(to.blocks[0]) + cell / 2, y(rowOf(to.anchor))];
    add(svg, 'line', { x1, y1, x2, y2, stroke: 'currentColor', 'stroke-width': 2 });
  }
}

function add(parent, name, attributes) {
  const child = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) child.setAttribute(key, value);
  parent.append(child);
  return child;
}
