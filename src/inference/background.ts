// A gray picture of something bright on something dark → the light of its background, without the thing.
import { type GrayImage, resampleBox } from './gray-image.js';

export interface Background {
  /** height x width, as the picture. */
  readonly light: Float32Array;
  /** Standard deviation of the background's pixels around it, at least 1. */
  readonly noise: number;
}

interface Sample {
  readonly terms: readonly number[];
  readonly value: number;
  readonly framed: boolean;
}

const termCount = 6;
const gridSide = 48;
const frame = 0.75;
const rounds = 6;
const outlier = 2.5;

/**
 * A quadratic surface, `a + bx + cy + dx² + exy + fy²` with x and y in -1…1, fits light that falls off to a side or
 * to the corners. Least squares, first through the frame of the picture, then six times through whatever lies
 * within 2.5 standard deviations (the median absolute deviation times 1.4826) of the last surface: what is drawn
 * drops out, however large a part it takes.
 */
export function estimateBackground(image: GrayImage): Background {
  const samples = sampleGrid(image);
  let chosen = samples.filter(({ framed }) => framed);
  let surface = fitSurface(chosen);
  let noise = deviation(chosen, surface);
  for (let round = 0; round < rounds; round++) {
    const limit = outlier * noise;
    chosen = samples.filter((sample) => Math.abs(sample.value - lightAt(surface, sample.terms)) <= limit);
    if (chosen.length < termCount) break;
    surface = fitSurface(chosen);
    noise = deviation(chosen, surface);
  }
  return { light: drawSurface(surface, image), noise };
}

function sampleGrid({ width, height, data }: GrayImage): Sample[] {
  const scale = Math.min(1, gridSide / Math.max(width, height));
  const across = Math.max(1, Math.round(width * scale));
  const down = Math.max(1, Math.round(height * scale));
  const whole = { left: 0, top: 0, right: width, bottom: height };
  const grid = resampleBox(Float32Array.from(data), width, whole, across, down);
  return Array.from(grid, (value, i) => {
    const [x, y] = [position(i % across, across), position(Math.floor(i / across), down)];
    return { terms: termsAt(x, y), value, framed: Math.max(Math.abs(x), Math.abs(y)) >= frame };
  });
}

function position(index: number, size: number): number {
  return (2 * index + 1) / size - 1;
}

function termsAt(x: number, y: number): number[] {
  return [1, x, y, x * x, x * y, y * y];
}

function lightAt(surface: readonly number[], terms: readonly number[]): number {
  return surface.reduce((sum, factor, i) => sum + factor * (terms[i] ?? 0), 0);
}

function deviation(samples: readonly Sample[], surface: readonly number[]): number {
  const off = samples
    .map(({ terms, value }) => Math.abs(value - lightAt(surface, terms)))
    .sort((a, b) => a - b);
  return Math.max(1, 1.4826 * (off[off.length >> 1] ?? 0));
}

/** Solves the normal equations by Gauss-Jordan; a trace on the diagonal keeps a one-pixel picture solvable. */
function fitSurface(samples: readonly Sample[]): number[] {
  const rows = Array.from({ length: termCount }, () => new Array<number>(termCount + 1).fill(0));
  for (const { terms, value } of samples)
    for (const [i, row] of rows.entries()) {
      const term = terms[i] ?? 0;
      for (let j = 0; j < termCount; j++) row[j] = (row[j] ?? 0) + term * (terms[j] ?? 0);
      row[termCount] = (row[termCount] ?? 0) + term * value;
    }
  for (const [i, row] of rows.entries()) row[i] = (row[i] ?? 0) + 1e-6;
  for (const [i, row] of rows.entries()) {
    const pivot = row[i] ?? 1;
    for (const [other, target] of rows.entries()) {
      if (other === i) continue;
      const factor = (target[i] ?? 0) / pivot;
      for (let j = i; j <= termCount; j++) target[j] = (target[j] ?? 0) - factor * (row[j] ?? 0);
    }
  }
  return rows.map((row, i) => (row[termCount] ?? 0) / (row[i] ?? 1));
}

function drawSurface(surface: readonly number[], { width, height }: GrayImage): Float32Array {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = surface;
  const light = new Float32Array(width * height);
  for (let row = 0, i = 0; row < height; row++) {
    const y = position(row, height);
    for (let column = 0; column < width; column++, i++) {
      const x = position(column, width);
      light[i] = a + y * (c + f * y) + x * (b + d * x + e * y);
    }
  }
  return light;
}
