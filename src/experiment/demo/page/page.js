/** The page: an image, a budget, and what the stitch that the budget pays for says about it. */
import { drawBlocks } from './blocks.js';
import { openRuntime, pixelsOf } from './network.js';

const shownClasses = 5;
const element = (id) => document.getElementById(id);
const palette = await (await fetch('palette.json')).json();
const { stitches, classes, preprocessing, examples } = palette;
const runtime = await openRuntime();

let image;
/** Answers come in the order of the questions; those that a later one has overtaken are not shown. */
let asked = 0;

const chosen = () => stitches[Number(element('budget').value)];

/** Logits of an image (a Blob, canvas or video) by a stitch of the palette. */
async function classify(source, stitch) {
  const { pixels } = await pixelsOf(source, preprocessing);
  return runtime.classify(stitch.file, pixels, preprocessing.crop);
}

async function show() {
  const stitch = chosen();
  element('cost').textContent = stitch.label;
  drawBlocks(element('blocks'), palette.anchors, stitch.path);
  if (!image) return;
  const question = ++asked;
  try {
    const { logits, milliseconds } = await classify(image, stitch);
    if (question !== asked) return;
    element('problem').textContent = '';
    element('time').textContent = `${milliseconds.toFixed(1)} ms an image in this browser (${runtime.name})`;
    element('classes').replaceChildren(...topClasses(logits));
    document.body.dataset.shown = String(stitch.id);
  } catch (error) {
    element('problem').textContent = `This image cannot be classified: ${error.message ?? error}`;
  }
}

function topClasses(logits) {
  const largest = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a]).slice(0, shownClasses);
  return order.map((index) => {
    const share = Math.exp(logits[index] - largest) / total;
    const row = document.createElement('li');
    const meter = Object.assign(document.createElement('meter'), { value: share });
    const [name, percent] = [classes[index], `${(100 * share).toFixed(1)} %`].map((text) =>
      Object.assign(document.createElement('span'), { textContent: text }),
    );
    row.append(name, percent, meter);
    return row;
  });
}

async function take(source) {
  try {
    const { bitmap } = await pixelsOf(source, preprocessing);
    const canvas = element('view');
    const side = Math.min(bitmap.width, bitmap.height);
    const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
    canvas.getContext('2d').drawImage(bitmap, left, top, side, side, 0, 0, canvas.width, canvas.height);
    image = source;
    await show();
  } catch (error) {
    element('problem').textContent = `This image cannot be read: ${error.message ?? error}`;
  }
}

const takeFile = (file) => file && take(file);
const takeAddress = async (address) => take(await (await fetch(address)).blob());

async function startWebcam() {
  const video = document.createElement('video');
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
  } catch (error) {
    element('problem').textContent = `No webcam: ${error.message}`;
    return;
  }
  await video.play();
  element('webcam').disabled = true;
  const next = async () => {
    await take(video);
    requestAnimationFrame(next);
  };
  await next();
}

element('title').textContent = palette.title;
element('about').textContent = palette.about;
element('budget').max = String(stitches.length - 1);
element('budget').value = String(stitches.length - 1);
element('budget').addEventListener('input', show);
element('file').addEventListener('change', ({ target }) => takeFile(target.files[0]));
element('webcam').addEventListener('click', startWebcam);
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  takeFile(event.dataTransfer.files[0]);
});
for (const src of examples) {
  const thumbnail = Object.assign(document.createElement('img'), { src, alt: 'an example image' });
  thumbnail.addEventListener('click', () => takeAddress(src));
  element('examples').append(thumbnail);
}

/** For a page around this one, and for tests: logits of an image by its address and the place of a stitch. */
globalThis.esta = {
  palette,
  runtime: runtime.name,
  classify: async (address, place) => classify(await (await fetch(address)).blob(), stitches[place]),
};

await (examples.length > 0 ? takeAddress(examples[0]) : show());
