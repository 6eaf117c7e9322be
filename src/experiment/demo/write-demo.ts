/**
 * `esta demo`: a folder with a page that runs the deployed stitches of a trial in the browser. Any static server shows it,
 * without a network: the runtime, the models and the images all lie in the folder.
 *
 *     index.html, *.js, style.css      the page (src/experiment/demo/page)
 *     palette.json                     stitches by rising FLOPs, classes, preprocessing
 *     models/stitch-ID.onnx            batches of any size, operators of the ONNX standard
 *     program/                         the functions of esta that prepare images
 *     runtime/                         ONNX Runtime Web: WebAssembly, and WebGPU where there is one
 *     examples/                        some test images, where they are there
 */
import { copyFile, cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Precision } from '../../config/deployment-options.js';
import { decodeImage } from '../../data/images/decode.js';
import { encodePng } from '../../data/images/encode.js';
import type { Preprocessing } from '../../data/images/preprocessing.js';
import { datasetLabel, pathLabel } from '../../report/curves/labels.js';
import type { ResultSegment } from '../../run-folder/result.js';
import { RequestError } from '../../shared/errors.js';
import { exists, writeAtomic, writeJson } from '../../shared/files.js';
import { programFolder } from '../../shared/program.js';
import { onnxModelOf } from '../deployed/export-network.js';
import { findTrial } from '../deployed/found-trial.js';
import { spread, testImagesOf } from '../deployed/test-images.js';
import { openTrial } from '../deployed/trained-trial.js';
import { plainPixels } from '../deployed/verification.js';

export interface DemoOptions {
  readonly out: string;
  /** Name of the trial folder; may be left out where the run has one finished trial. */
  readonly trial?: string | undefined;
  /** Test images to copy; default 6. */
  readonly examples?: number;
  /** Of the weights in the files; default float32. */
  readonly precision?: Precision;
  /** Where drawn images are kept; default that of runs. */
  readonly cacheFolder?: string;
  /** Hears what the demo lacks, and why; default nobody does. */
  readonly onNote?: (text: string) => void;
}

/** `palette.json` */
export interface Palette {
  readonly title: string;
  readonly about: string;
  readonly classes: readonly string[];
  /** With values from 0 to 255, as the files take them. */
  readonly preprocessing: Preprocessing;
  /** Small to large. */
  readonly anchors: readonly { readonly name: string; readonly blocks: number }[];
  /** By rising FLOPs. */
  readonly stitches: readonly {
    readonly id: number;
    readonly file: string;
    readonly bytes: number;
    readonly flops: number;
    readonly label: string;
    readonly path: readonly ResultSegment[];
  }[];
  readonly examples: readonly string[];
}

/** What of the program the page imports; what these files import is copied with them. */
const programFiles = ['data/images/augment.js'];
const runtimeFiles = [
  'ort.wasm.min.mjs',
  'ort-wasm-simd-threaded.mjs',
  'ort-wasm-simd-threaded.wasm',
  'ort.webgpu.min.mjs',
  'ort-wasm-simd-threaded.asyncify.mjs',
  'ort-wasm-simd-threaded.asyncify.wasm',
];

/** @throws RequestError when there is no such run or trial, or `out` is a folder of something else */
export async function writeDemo(
  runFolder: string,
  { out, trial: name, examples: count = 6, precision = 'float32', cacheFolder, onNote = () => {} }: DemoOptions,
): Promise<Palette> {
  if ((await exists(out)) && !(await isEmptyOrDemo(out))) {
    throw new RequestError(`${out} is there, and no demo`, 'Give --out a folder that is empty, or not there yet.');
  }
  const run = await findTrial(runFolder, name);
  const trial = await openTrial(run);
  const networks = run.result.stitches.toSorted((a, b) => a.flops - b.flops).map(({ id }) => trial.network(id));
  const { classes, preprocessing, architectures, experiment } = networks[0]!;
  const stitches: Palette['stitches'][number][] = [];
  for (const network of networks) {
    const { id, flops, params, accuracy, path: segments } = network.result;
    const file = `models/stitch-${id}.onnx`;
    const { model } = onnxModelOf(network, undefined, { operators: 'standard', precision });
    await writeAtomic(path.join(out, file), model);
    const cost = `${(flops / 1e6).toPrecision(3)} MFLOPs, ${(params / 1e6).toPrecision(3)} M parameters`;
    const label = `${pathLabel(segments)}: ${cost}, ${accuracy!.toFixed(1)} % of the test images`;
    stitches.push({ id, file, bytes: model.length, flops, label, path: segments });
  }
  await copyPage(out);
  const found = await testImagesOf(networks[0]!, cacheFolder);
  if ('absent' in found && count > 0) onNote(`without example images: ${found.absent}`);
  const palette: Palette = {
    title: `${datasetLabel(run.result.dataset)}: ${stitches.length} stitches of one training`,
    about: `The budget chooses the stitch: the front of one network, the rear of a larger one.${precisionNote(precision)}`,
    classes,
    preprocessing: plainPixels(preprocessing),
    anchors: experiment.anchors.map(({ name }, index) => ({ name, blocks: architectures[index]!.blocks.length })),
    stitches,
    examples: 'samples' in found ? await copyExamples(spread(found.samples, count), out) : [],
  };
  await writeJson(path.join(out, 'palette.json'), palette);
  return palette;
}

function precisionNote(precision: Precision): string {
  return precision === 'float32' ? '' : ` Its weights are ${precision}; the accuracies are those of float32 weights.`;
}

/** Its palette is written last: without one, a folder is the beginning of a demo where it holds models and nothing else. */
async function isEmptyOrDemo(out: string): Promise<boolean> {
  if (await exists(path.join(out, 'palette.json'))) return true;
  const parts = ['models', 'program', 'runtime', 'examples', ...(await readdir(await pageFolder()))];
  const found: readonly string[] | undefined = await readdir(out).catch(() => undefined);
  if (found === undefined) return false; // a file
  return found.length === 0 || (found.includes('models') && found.every((name) => parts.includes(name)));
}

async function pageFolder(): Promise<string> {
  return path.join(await programFolder(), 'src/experiment/demo/page');
}

async function copyPage(out: string): Promise<void> {
  await cp(await pageFolder(), out, { recursive: true });
  const compiled = fileURLToPath(new URL('../..', import.meta.url));
  await copyProgram(compiled, programFiles, path.join(out, 'program'));
  const runtime = path.dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  await mkdir(path.join(out, 'runtime'), { recursive: true });
  for (const file of runtimeFiles) await copyFile(path.join(runtime, file), path.join(out, 'runtime', file));
}

/** Copies modules, and those that they import by a relative name, each once. */
async function copyProgram(
  from: string,
  files: readonly string[],
  to: string,
  copied = new Set<string>(),
): Promise<void> {
  for (const file of files.filter((name) => !copied.has(name))) {
    copied.add(file);
    const text = await readFile(path.join(from, file), 'utf8');
    await writeAtomic(path.join(to, file), text);
    const imported = [...text.matchAll(/ from '(\.[^']+)'/g)].map(([, name]) => path.join(path.dirname(file), name!));
    await copyProgram(from, imported, to, copied);
  }
}

/** What browsers show; other images are examples as PNG. */
const shownExtensions = ['.jpg', '.jpeg', '.png', '.webp', '.bmp'];

async function copyExamples(samples: readonly { readonly file: string }[], out: string): Promise<string[]> {
  await mkdir(path.join(out, 'examples'), { recursive: true });
  const copies: string[] = [];
  for (const [index, { file }] of samples.entries()) {
    const extension = path.extname(file).toLowerCase();
    const isShown = shownExtensions.includes(extension);
    const copy = `examples/${index}${isShown ? extension : '.png'}`;
    if (isShown) await copyFile(file, path.join(out, copy));
    else
      await writeAtomic(path.join(out, copy), await encodePng(await decodeImage(file, { interpolation: 'bicubic' })));
    copies.push(copy);
  }
  return copies;
}
