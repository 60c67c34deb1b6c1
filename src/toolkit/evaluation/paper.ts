// A digit, light on black, and a scene → a photo of dark ink on paper in uneven light.
import type { GrayImage } from '../../inference/image/gray-image.js';
import type { Random } from '../random.js';

export interface Scene {
  readonly width: number;
  readonly height: number;
  /** Longer side of the digit's ink, in pixels. */
  readonly digitSide: number;
  /** Position of the digit, 0…1 of the free space. */
  readonly across: number;
  readonly down: number;
  /** The edge of a stroke, as a part of full ink. A lower level makes bolder strokes. */
  readonly strokeLevel: number;
  /** Gray level of blank paper in the best light, 0…255. */
  readonly paper: number;
  /** Light of ink, as a part of the paper's light. */
  readonly ink: number;
  /** Part of the light that is lost from one side to the other, in the direction of the angle. */
  readonly slope: number;
  readonly slopeAngle: number;
  /** Part of the light that is lost from the middle to the corners. */
  readonly falloff: number;
  /** Standard deviations, in pixels and in gray levels. */
  readonly blur: number;
  readonly noise: number;
  readonly jpegQuality?: number;
}

/** Draws `paper · light(x, y) · (1 - (1 - ink) stroke)`, blurred, with Gaussian noise. */
export function drawOnPaper(digit: GrayImage, scene: Scene, random: Random): GrayImage {
  const { width, height, paper, ink, noise } = scene;
  const strokes = placeStrokes(digit, scene);
  const seen = new Float64Array(width * height);
  for (let i = 0; i < seen.length; i++) {
    const light = lightAt(i % width, Math.floor(i / width), scene);
    seen[i] = paper * light * (1 - (1 - ink) * (strokes[i] ?? 0));
  }
  const data = Uint8Array.from(blurred(seen, scene), (value) =>
    Math.min(255, Math.max(0, Math.round(value + noise * gaussian(random)))),
  );
  return { width, height, data };
}

function lightAt(column: number, row: number, { width, height, slope, slopeAngle, falloff }: Scene): number {
  const [x, y] = [(2 * column + 1) / width - 1, (2 * row + 1) / height - 1];
  const side = (1 + (x * Math.cos(slopeAngle) + y * Math.sin(slopeAngle)) / Math.SQRT2) / 2;
  return (1 - slope * side) * (1 - (falloff * (x * x + y * y)) / 2);
}

/** Enlarges the digit's box to its place and size by Catmull and Rom's cubic, with edges as sharp as a pen's. */
function placeStrokes(digit: GrayImage, scene: Scene): Float64Array {
  const { width, height, digitSide, strokeLevel } = scene;
  const box = inkBox(digit);
  const scale = digitSide / Math.max(box.width, box.height);
  const left = scene.across * Math.max(0, width - box.width * scale);
  const top = scene.down * Math.max(0, height - box.height * scale);
  const softness = Math.min(0.5, 0.5 / scale);
  return Float64Array.from({ length: width * height }, (_, i) => {
    const x = ((i % width) + 0.5 - left) / scale + box.left - 0.5;
    const y = (Math.floor(i / width) + 0.5 - top) / scale + box.top - 0.5;
    return smoothStep((cubicAt(digit, x, y) / 255 - strokeLevel) / softness);
  });
}

function inkBox({ width, height, data }: GrayImage): {
  left: number;
  top: number;
  width: number;
  height: number;
} {
  const inked = [...data.keys()].filter((i) => (data[i] ?? 0) >= 32);
  const [columns, rows] = [inked.map((i) => i % width), inked.map((i) => Math.floor(i / width))];
  if (inked.length === 0) return { left: 0, top: 0, width, height };
  const [left, top] = [Math.min(...columns), Math.min(...rows)];
  return { left, top, width: Math.max(...columns) + 1 - left, height: Math.max(...rows) + 1 - top };
}

/** 0 below -½, 1 above ½, and `3t² - 2t³` between them. */
function smoothStep(value: number): number {
  const t = Math.min(1, Math.max(0, value + 0.5));
  return t * t * (3 - 2 * t);
}

/** Interpolates by Catmull and Rom's cubic through 4 x 4 pixels; pixels outside of the image are black. */
function cubicAt({ width, height, data }: GrayImage, x: number, y: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  if (left < -2 || top < -2 || left > width + 1 || top > height + 1) return 0;
  const [across, down] = [cubicWeights(x - left), cubicWeights(y - top)];
  let sum = 0;
  for (const [j, weight] of down.entries()) {
    const row = top - 1 + j;
    if (row < 0 || row >= height) continue;
    for (const [i, other] of across.entries()) {
      const column = left - 1 + i;
      if (column >= 0 && column < width) sum += weight * other * (data[row * width + column] ?? 0);
    }
  }
  return sum;
}

function cubicWeights(t: number): number[] {
  return [
    (-t + 2 * t * t - t ** 3) / 2,
    (2 - 5 * t * t + 3 * t ** 3) / 2,
    (t + 4 * t * t - 3 * t ** 3) / 2,
    (-t * t + t ** 3) / 2,
  ];
}

function blurred(values: Float64Array, { width, height, blur }: Scene): Float64Array {
  if (blur < 0.2) return values;
  const radius = Math.ceil(3 * blur);
  const weights = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * blur * blur)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const along = (source: Float64Array, step: number, size: number, indexOf: (i: number) => number) =>
    source.map((_, i) => {
      const at = indexOf(i);
      return weights.reduce((sum, weight, j) => {
        const aim = Math.min(size - 1, Math.max(0, at + j - radius));
        return sum + (weight / total) * (source[i + (aim - at) * step] ?? 0);
      }, 0);
    });
  const narrow = along(values, 1, width, (i) => i % width);
  return along(narrow, width, height, (i) => Math.floor(i / width));
}

/** Returns a normally distributed number (Box and Muller). */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
