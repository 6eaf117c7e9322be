/**
 * From a decoded image to normalised float32: crop, flip, colour jitter. Every random choice comes from the generator
 * that is passed in, so an image looks the same in an epoch whatever the batch size, the order or a resume.
 */
import { RequestError } from '../../shared/errors.js';
import type { Random } from '../../shared/random.js';
import {
  type Augmentation,
  type ColourJitter,
  type Extent,
  type Preprocessing,
  type RandomResizedCrop,
  type RgbImage,
  resizedExtent,
} from './preprocessing.js';
import { resample, type Window } from './resample.js';

/** The random part of `prepareImage`. */
export interface RandomView {
  readonly augmentation: Augmentation;
  readonly random: Random;
}

/** What is seen of an image, with all random choices made. */
export interface View {
  /** In pixels of the image at hand. */
  readonly window: Window;
  readonly flip: boolean;
  /** Factors, where colours are changed. */
  readonly jitter?: ColourJitter;
}

/**
 * Writes the view of `image` that the network sees, [crop, crop, 3] normalised, into `output`.
 * @param view left out: the central crop, as in evaluation
 * @throws RequestError when the image is smaller than the crop
 */
export function prepareImage(
  image: RgbImage,
  preprocessing: Preprocessing,
  view: RandomView | undefined,
  output: Float32Array,
): void {
  const { window, flip, jitter } = viewOf(image, preprocessing, view);
  resample(image, window, preprocessing.crop, preprocessing.interpolation, flip, output);
  if (jitter) jitterColours(output, jitter);
  normalise(output, preprocessing);
}

/**
 * The view of `image` as bytes [crop, crop, 3], before its colours are changed and normalised.
 * @returns the factors of its colours, where they are to be changed
 * @throws RequestError when the image is smaller than the crop
 */
export function prepareBytes(
  image: RgbImage,
  preprocessing: Preprocessing,
  view: RandomView | undefined,
  output: Uint8Array,
): ColourJitter | undefined {
  const { window, flip, jitter } = viewOf(image, preprocessing, view);
  resample(image, window, preprocessing.crop, preprocessing.interpolation, flip, output);
  return jitter;
}

/**
 * Draws what `prepareImage` shows of an image.
 * @param view left out: the central crop, as in evaluation
 * @throws RequestError when the image is smaller than the crop
 */
export function viewOf(image: Extent, { crop, resize }: Preprocessing, view: RandomView | undefined): View {
  const resized = resizedExtent(image, resize);
  const { left, top, width, height } = view ? randomWindow(resized, crop, view) : centralWindow(resized, crop);
  const flip = view?.augmentation.flip === true && view.random.uniform() < 0.5;
  const jitter = view?.augmentation.jitter && drawnFactors(view.augmentation.jitter, view.random);
  // The window is in pixels of the resized image, the pixels at hand may be those of the smaller original.
  const scaleX = image.width / resized.width;
  const scaleY = image.height / resized.height;
  const window = { left: left * scaleX, top: top * scaleY, width: width * scaleX, height: height * scaleY };
  return { window, flip, ...(jitter && { jitter }) };
}

function randomWindow(image: Extent, crop: number, { augmentation, random }: RandomView): Window {
  if (augmentation.crop === 'center') return centralWindow(image, crop);
  if (augmentation.crop !== 'random') return randomResizedWindow(image, augmentation.crop, random);
  checkCrop(image, crop);
  const left = random.integer(image.width - crop + 1);
  const top = random.integer(image.height - crop + 1);
  return { left, top, width: crop, height: crop };
}

function centralWindow(image: Extent, crop: number): Window {
  checkCrop(image, crop);
  const left = roundHalfToEven((image.width - crop) / 2);
  const top = roundHalfToEven((image.height - crop) / 2);
  return { left, top, width: crop, height: crop };
}

/** Python's rounding, which decides about the odd pixel in torchvision's CenterCrop. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 && floor % 2 === 0 ? floor : Math.round(value);
}

function checkCrop({ width, height }: Extent, crop: number): void {
  if (width >= crop && height >= crop) return;
  throw new RequestError(
    `an image of ${width} x ${height} pixels is smaller than preprocessing.crop, ${crop} x ${crop}`,
    `Set preprocessing.resize to ${crop} or more, so that images are resized first, or preprocessing.crop to at most ${Math.min(width, height)}.`,
  );
}

/** torchvision's RandomResizedCrop.get_params: ten attempts, then the largest central window of an allowed ratio. */
function randomResizedWindow({ width, height }: Extent, { scale, ratio }: RandomResizedCrop, random: Random): Window {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * random.uniform(...scale);
    const aspect = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const windowWidth = Math.round(Math.sqrt(area * aspect));
    const windowHeight = Math.round(Math.sqrt(area / aspect));
    if (windowWidth > 0 && windowWidth <= width && windowHeight > 0 && windowHeight <= height) {
      const left = random.integer(width - windowWidth + 1);
      const top = random.integer(height - windowHeight + 1);
      return { left, top, width: windowWidth, height: windowHeight };
    }
  }
  const aspect = Math.min(Math.max(width / height, ratio[0]), ratio[1]);
  const windowWidth = Math.min(width, Math.round(height * aspect));
  const windowHeight = Math.min(height, Math.round(width / aspect));
  const left = Math.floor((width - windowWidth) / 2);
  const top = Math.floor((height - windowHeight) / 2);
  return { left, top, width: windowWidth, height: windowHeight };
}

/** Luminance weights of ITU-R 601-2, as in Pillow's conversion to grayscale. */
const luminance = (pixels: Float32Array, at: number) =>
  0.299 * pixels[at]! + 0.587 * pixels[at + 1]! + 0.114 * pixels[at + 2]!;

function drawnFactors(strengths: ColourJitter, random: Random): ColourJitter {
  const factor = (strength: number) => random.uniform(Math.max(0, 1 - strength), 1 + strength);
  const brightness = factor(strengths.brightness);
  const contrast = factor(strengths.contrast);
  return { brightness, contrast, saturation: factor(strengths.saturation) };
}

/** Brightness, then contrast, then saturation, on values in [0, 255]; torchvision draws the order too. */
function jitterColours(pixels: Float32Array, { brightness, contrast, saturation }: ColourJitter): void {
  let sum = 0;
  for (let at = 0; at < pixels.length; at += 3) sum += luminance(pixels, at);
  const mean = (brightness * sum) / (pixels.length / 3);
  for (let at = 0; at < pixels.length; at += 3) {
    for (let c = at; c < at + 3; c++) pixels[c] = clip(contrast * brightness * pixels[c]! + (1 - contrast) * mean);
    const grey = luminance(pixels, at);
    for (let c = at; c < at + 3; c++) pixels[c] = clip(saturation * pixels[c]! + (1 - saturation) * grey);
  }
}

function clip(value: number): number {
  return Math.max(0, Math.min(255, value));
}

/** Normalises values from 0 to 255 in place. @param pixels [..., 3] */
export function normalise(pixels: Float32Array, { mean, std }: Pick<Preprocessing, 'mean' | 'std'>): void {
  const [scaleR, scaleG, scaleB] = [1 / (255 * std[0]), 1 / (255 * std[1]), 1 / (255 * std[2])];
  const [shiftR, shiftG, shiftB] = [mean[0] / std[0], mean[1] / std[1], mean[2] / std[2]];
  for (let at = 0; at < pixels.length; at += 3) {
    pixels[at] = pixels[at]! * scaleR - shiftR;
    pixels[at + 1] = pixels[at + 1]! * scaleG - shiftG;
    pixels[at + 2] = pixels[at + 2]! * scaleB - shiftB;
  }
}
