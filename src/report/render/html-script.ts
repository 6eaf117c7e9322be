/**
 * The script of the HTML report, for browsers. It turns the points of the inline figure into something to point at,
 * touch and walk through with the arrow keys; a card then shows which blocks of which anchor a stitch runs. Without
 * script the figure and tables are complete, and a screen reader reads the points' labels.
 *
 * It reads `#figure-data`: `{anchors: [{label, name, depth}], paths: {description: [{anchor, blocks}]}}`.
 */
export const htmlScript = `
const figure = document.querySelector('.figure');
const card = figure.querySelector('.card');
const { anchors, paths } = JSON.parse(document.getElementById('figure-data').textContent);
const order = Object.keys(paths); // curve by curve, by FLOPs
const position = (mark) => order.indexOf(mark.getAttribute('aria-label'));
const points = [...figure.querySelectorAll('[aria-label]')]
  .filter((mark) => position(mark) !== -1)
  .sort((a, b) => position(a) - position(b));
let current = -1;

for (const [index, point] of points.entries()) {
  point.dataset.point = index;
  point.setAttribute('tabindex', index === 0 ? '0' : '-1');
  point.addEventListener('focus', () => show(index));
  point.addEventListener('blur', hide);
}

// The nearest point within reach, so that a finger need not hit a dot of four pixels.
function nearest(event) {
  let best = -1;
  let reach = event.pointerType === 'touch' ? 40 : 16;
  points.forEach((point, index) => {
    const box = point.getBoundingClientRect();
    const distance = Math.hypot(event.clientX - box.x - box.width / 2, event.clientY - box.y - box.height / 2);
    if (distance < reach) [best, reach] = [index, distance];
  });
  return best;
}

function select(event) {
  const index = nearest(event);
  if (index === -1) hide();
  else if (index !== current) show(index);
}
figure.addEventListener('pointermove', select);
figure.addEventListener('pointerdown', select);
figure.addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse') hide(); });

figure.addEventListener('keydown', (event) => {
  const from = points.indexOf(document.activeElement);
  if (event.key === 'Escape') return hide();
  const to = { ArrowRight: from + 1, ArrowLeft: from - 1, Home: 0, End: points.length - 1 }[event.key];
  if (to === undefined || from === -1) return;
  event.preventDefault();
  const next = points[Math.min(points.length - 1, Math.max(0, to))];
  points[from].setAttribute('tabindex', '-1');
  next.setAttribute('tabindex', '0');
  next.focus();
});

function hide() {
  points[current]?.classList.remove('current');
  current = -1;
  card.hidden = true;
}

function show(index) {
  hide();
  current = index;
  const point = points[index];
  point.classList.add('current');
  const label = point.getAttribute('aria-label');
  const [name, ...numbers] = label.split('; ');
  card.replaceChildren(element('strong', name), element('span', numbers.join(', ')));
  if (paths[label].length > 0) card.append(blocks(paths[label]));
  card.hidden = false;
  const [around, box] = [figure.getBoundingClientRect(), point.getBoundingClientRect()];
  // Below and to the right, where a curve that rises and flattens leaves room.
  const left = Math.min(box.right - around.x + 12, around.width - card.offsetWidth);
  card.style.left = Math.max(0, left) + 'px';
  card.style.top = box.bottom - around.y + 12 + 'px';
}

// One row for each anchor, one square for each of its blocks, filled where the stitch runs it.
function blocks(path) {
  const grid = element('div');
  grid.className = 'blocks';
  for (const { name, label, depth } of anchors) {
    const row = element('span');
    for (let block = 0; block < depth; block++) {
      const square = element('i');
      const used = path.some(({ anchor, blocks: [from, to] }) => anchor === name && from <= block && block < to);
      square.classList.toggle('used', used);
      row.append(square);
    }
    grid.append(element('span', label), row);
  }
  return grid;
}

function element(tag, text = '') {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
`;
