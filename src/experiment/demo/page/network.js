/**
 * The exported stitches, run by ONNX Runtime Web: on WebGPU where the browser has a device for it, else by WebAssembly. An
 * image is cropped and resized by the functions of `esta predict` themselves, which lie in program/.
 */
import { prepareImage } from './program/data/images/augment.js';

/** Runs of a stitch whose median is shown. */
const timedRuns = 5;

export async function openRuntime() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  const ort = await import(adapter ? './runtime/ort.webgpu.min.mjs' : './runtime/ort.wasm.min.mjs');
  ort.env.wasm.wasmPaths = new URL('./runtime/', import.meta.url).href;
  ort.env.wasm.numThreads = 1; // more need headers that not every static server sends
  const sessions = new Map();
  const open = (file) => {
    const known = sessions.get(file);
    if (known) return known;
    const session = ort.InferenceSession.create(file, { executionProviders: adapter ? ['webgpu', 'wasm'] : ['wasm'] });
    sessions.set(file, session);
    return session;
  };
  return {
    name: adapter ? 'WebGPU' : 'WebAssembly, 1 thread',
    /** Logits of one image, [classes], and the median milliseconds of a run in this browser. */
    async classify(file, pixels, side) {
      const session = await open(file);
      const images = new ort.Tensor('float32', pixels, [1, side, side, 3]);
      const milliseconds = [];
      let logits;
      for (let run = 0; run <= timedRuns; run++) {
        const started = performance.now();
        ({ logits } = await session.run({ images }));
        if (run > 0) milliseconds.push(performance.now() - started); // the first one also compiles
      }
      milliseconds.sort((a, b) => a - b);
      return { logits: Array.from(logits.data), milliseconds: milliseconds[timedRuns >> 1] };
    },
  };
}

/** RGB from 0 to 255 as the stitches take it, [side, side, 3], from any image that the browser can decode. */
export async function pixelsOf(source, preprocessing) {
  const bitmap = await createImageBitmap(source, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const { width, height } = bitmap;
  const bytes = rgbaOf(bitmap);
  const pixels = new Uint8Array(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    for (let channel = 0; channel < 3; channel++) pixels[3 * at + channel] = bytes[4 * at + channel];
  }
  const { crop } = preprocessing;
  const output = new Float32Array(crop * crop * 3);
  prepareImage({ width, height, pixels }, preprocessing, undefined, output);
  return { pixels: output, bitmap };
}

/** Bytes of an image, [height, width, 4], its colours as they are in the file, as `esta predict` takes them. */
function rgbaOf(bitmap) {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  // A canvas multiplies colours by alpha, and has lost them where it is small.
  return isOpaque(data) ? data : (texelsOf(bitmap) ?? data);
}

/** Frames of a webcam are looked at one after the other: only their alpha, in a plain loop. */
function isOpaque(bytes) {
  for (let at = 3; at < bytes.length; at += 4) if (bytes[at] < 255) return false;
  return true;
}

let gl;

/** The same by WebGL, which leaves colours alone; undefined where it is missing or the image is too large for it. */
function texelsOf(bitmap) {
  const { width, height } = bitmap;
  gl ??= new OffscreenCanvas(1, 1).getContext('webgl');
  if (!gl || gl.isContextLost() || Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return undefined;
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  const framebuffer = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  const bytes = new Uint8Array(width * height * 4);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  gl.deleteFramebuffer(framebuffer);
  gl.deleteTexture(texture);
  return bytes;
}
