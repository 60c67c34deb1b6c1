// A gray picture as people send it → what the contract's polarity and centre make of it, as MNIST's digits were made.
import type { InputContract } from './contract.js';
import { type Box, type GrayImage, invert, resampleBox } from './gray-image.js';
import { findInk } from './ink.js';

type Rules = Pick<InputContract, 'width' | 'height' | 'channels' | 'polarity' | 'centre'>;

/** Of 255: what a pixel of the dataset has to reach to count as ink, and the most its ground may have. */
const [inkLevel, groundLevel] = [32, 8];

/** Whether an image has to be seen at its own size before it is brought to the model's. */
export function hasDigitRules(input: Pick<InputContract, 'polarity' | 'centre'>): boolean {
  return input.polarity === 'auto' || input.centre !== undefined;
}

/**
 * Polarity auto turns dark ink on a light ground into its negative. Centre then scales the box of the ink to fit
 * box x box and puts it where its centre of mass is at pixel (width / 2, height / 2): the picture gets the contract's size.
 * One that is like that already keeps its values; one without ink becomes black. Without centre the size stays.
 */
export function applyDigitRules(image: GrayImage, input: Rules): GrayImage {
  const light = input.polarity === 'auto' && isDarkOnLight(image) ? invert(image) : image;
  if (!input.centre || isCentred(light, input)) return light;
  return centreInk(light, input, input.centre.box);
}

/** For pixels of the contract's size that no file is decoded for, such as a dataset's. */
export function applyDigitRulesToPixels(pixels: Uint8Array, input: Rules): Uint8Array {
  if (input.channels !== 'gray' || !hasDigitRules(input)) return pixels;
  return applyDigitRules({ width: input.width, height: input.height, data: pixels }, input).data;
}

/** The median of the outermost pixels is nearer to the lightest than to the darkest pixel of the image. */
export function isDarkOnLight(image: GrayImage): boolean {
  let [darkest, lightest] = [255, 0];
  for (const value of image.data) {
    if (value < darkest) darkest = value;
    if (value > lightest) lightest = value;
  }
  return 2 * borderMedian(image) > darkest + lightest;
}

/**
 * Whether the picture is already what centring makes: of the contract's size, on black, its ink (from level 32 on) at
 * most box wide and high and at least box - 2 one way, its centre of mass within ¾ pixel of (width / 2, height / 2)
 * either way. All 70,000 images of MNIST are: their boxes take 18 to 20, their centres are off by up to 0.52.
 */
export function isCentred(image: GrayImage, { width, height, centre }: Rules): boolean {
  if (!centre || image.width !== width || image.height !== height) return false;
  if (borderMedian(image) > groundLevel) return false;
  const ink = inkBox(image);
  const [across, down] = [ink.right - ink.left, ink.bottom - ink.top];
  const longest = Math.max(across, down);
  if (longest > centre.box || longest < centre.box - 2) return false;
  const [x, y] = centreOfMass(image.data, width);
  return Math.abs(x - width / 2) <= 0.75 && Math.abs(y - height / 2) <= 0.75;
}

function borderMedian({ width, height, data }: GrayImage): number {
  const sides = [data.subarray(0, width), data.subarray((height - 1) * width)];
  const border = new Uint8Array(2 * (width + height));
  sides.forEach((side, i) => {
    border.set(side, i * width);
  });
  for (let y = 0; y < height; y++) {
    border[2 * width + y] = data[y * width] ?? 0;
    border[2 * width + height + y] = data[(y + 1) * width - 1] ?? 0;
  }
  return border.sort()[border.length >> 1] ?? 0;
}

function inkBox({ width, height, data }: GrayImage): Box {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      if ((data[i] ?? 0) < inkLevel) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    }
  return { left, top, right, bottom };
}

/** `(Σ v x / Σ v, Σ v y / Σ v)`, in pixels from the middle of the first. */
function centreOfMass(values: Float32Array | Uint8Array, width: number): [number, number] {
  let mass = 0;
  let across = 0;
  let down = 0;
  for (let y = 0, i = 0; i < values.length; y++)
    for (let x = 0; x < width; x++, i++) {
      const value = values[i] ?? 0;
      mass += value;
      across += value * x;
      down += value * y;
    }
  return [across / mass, down / mass];
}

function centreInk(image: GrayImage, { width, height }: Rules, box: number): GrayImage {
  const data = new Uint8Array(width * height);
  const ink = findInk(image);
  if (!ink) return { width, height, data };
  const [inkWidth, inkHeight] = [ink.box.right - ink.box.left, ink.box.bottom - ink.box.top];
  const scale = box / Math.max(inkWidth, inkHeight);
  const across = Math.max(1, Math.round(inkWidth * scale));
  const down = Math.max(1, Math.round(inkHeight * scale));
  const digit = resampleBox(ink.amount, image.width, ink.box, across, down);
  const fullest = digit.reduce((most, value) => Math.max(most, value), 0);
  const [x, y] = centreOfMass(digit, across);
  const left = clamp(Math.round(width / 2 - x), 0, width - across);
  const top = clamp(Math.round(height / 2 - y), 0, height - down);
  digit.forEach((value, i) => {
    const at = (top + Math.floor(i / across)) * width + left + (i % across);
    data[at] = Math.round((255 * value) / fullest);
  });
  return { width, height, data };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
