// A gray picture as people send it → what the contract's polarity and centre make of it, as MNIST's digits were made.
import type { InputContract } from './card.js';
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
  const border: number[] = [];
  for (let x = 0; x < width; x++) border.push(data[x] ?? 0, data[(height - 1) * width + x] ?? 0);
  for (let y = 1; y < height - 1; y++) border.push(data[y * width] ?? 0, data[(y + 1) * width - 1] ?? 0);
  border.sort((a, b) => a - b);
  return border[border.length >> 1] ?? 0;
}

function inkBox({ width, height, data }: GrayImage): Box {
  let [left, top, right, bottom] = [width, height, 0, 0];
  data.forEach((value, i) => {
    if (value < inkLevel) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
  });
  return { left, top, right, bottom };
}

/** `(Σ v x / Σ v, Σ v y / Σ v)`, in pixels from the middle of the first. */
function centreOfMass(values: ArrayLike<number>, width: number): [number, number] {
  let [mass, acrossMass, downMass] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    mass += value;
    acrossMass += value * (i % width);
    downMass += value * Math.floor(i / width);
  }
  return [acrossMass / mass, downMass / mass];
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
