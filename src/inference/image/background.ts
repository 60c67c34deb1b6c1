// a gray image of a light object on a dark background → the light of the background alone.
import { type GrayImage, resampleBox } from './gray-image.js';

interface Samples {
  readonly count: number;
  /** count x 6: 1, x, y, x², xy, y². */
  readonly terms: Float64Array;
  readonly values: Float64Array;
  /** The samples that the surface is fitted to. */
  readonly chosen: Uint8Array;
}

interface Fit {
  readonly surface: Float64Array;
  /** count values: sample minus surface. */
  readonly off: Float64Array;
  readonly noise: number;
}

const termCount = 6;
const gridSide = 32;
const frame = 0.75;
const rounds = 6;
const outlier = 2.5;

/**
 * Fits a quadratic surface, `a + bx + cy + dx² + exy + fy²` with x and y in -1…1, because light falls off to one side or to the
 * corners. Least squares on a grid of at most 32 x 32 samples: first those at the border of the image, then six times those within
 * 2.5 standard deviations (the median absolute deviation times 1.4826) of the last surface. This excludes the drawn object.
 * @returns height x width values, which may lie outside 0…255.
 */
export function estimateBackground(image: GrayImage): Float32Array {
  const samples = sampleGrid(image);
  const { count, chosen } = samples;
  let fit = fitSurface(samples);
  for (let round = 0; round < rounds; round++) {
    const limit = outlier * fit.noise;
    let left = 0;
    for (let i = 0; i < count; i++) left += chosen[i] = Math.abs(fit.off[i] ?? 0) <= limit ? 1 : 0;
    if (left < termCount) break;
    fit = fitSurface(samples);
  }
  return drawSurface(fit.surface, image);
}

function sampleGrid({ width, height, data }: GrayImage): Samples {
  const scale = Math.min(1, gridSide / Math.max(width, height));
  const across = Math.max(1, Math.round(width * scale));
  const down = Math.max(1, Math.round(height * scale));
  const whole = { left: 0, top: 0, right: width, bottom: height };
  const values = Float64Array.from(resampleBox(data, width, whole, across, down));
  const count = values.length;
  const terms = new Float64Array(count * termCount);
  const chosen = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const [x, y] = [position(i % across, across), position(Math.floor(i / across), down)];
    terms.set([1, x, y, x * x, x * y, y * y], i * termCount);
    chosen[i] = Math.max(Math.abs(x), Math.abs(y)) >= frame ? 1 : 0;
  }
  return { count, terms, values, chosen };
}

/** The middle of pixel `index` of `size`, in -1…1. */
function position(index: number, size: number): number {
  return (2 * index + 1) / size - 1;
}

function fitSurface(samples: Samples): Fit {
  const { count, terms, values, chosen } = samples;
  const surface = solve(normalEquations(samples));
  const off = new Float64Array(count);
  const sizes = new Float64Array(count);
  let chosenCount = 0;
  for (let i = 0; i < count; i++) {
    let light = 0;
    for (let j = 0; j < termCount; j++) light += (surface[j] ?? 0) * (terms[i * termCount + j] ?? 0);
    off[i] = (values[i] ?? 0) - light;
    if (chosen[i]) sizes[chosenCount++] = Math.abs(off[i] ?? 0);
  }
  const median = sizes.subarray(0, chosenCount).sort()[chosenCount >> 1] ?? 0;
  return { surface, off, noise: Math.max(1, 1.4826 * median) };
}

/** `Tᵀ T | Tᵀ v` of the chosen samples, 6 x 7. A small value is added to the diagonal, so that an image of one pixel is solvable. */
function normalEquations({ count, terms, values, chosen }: Samples): Float64Array {
  const columns = termCount + 1;
  const rows = new Float64Array(termCount * columns);
  for (let i = 0; i < count; i++) {
    if (!chosen[i]) continue;
    const at = i * termCount;
    for (let j = 0; j < termCount; j++) {
      const term = terms[at + j] ?? 0;
      for (let k = 0; k < termCount; k++)
        rows[j * columns + k] = (rows[j * columns + k] ?? 0) + term * (terms[at + k] ?? 0);
      rows[j * columns + termCount] = (rows[j * columns + termCount] ?? 0) + term * (values[i] ?? 0);
    }
  }
  for (let j = 0; j < termCount; j++) rows[j * (columns + 1)] = (rows[j * (columns + 1)] ?? 0) + 1e-6;
  return rows;
}

/** Gauss-Jordan elimination. The matrix is positive definite, so no pivot is searched. */
function solve(rows: Float64Array): Float64Array {
  const columns = termCount + 1;
  for (let i = 0; i < termCount; i++)
    for (let other = 0; other < termCount; other++) {
      if (other === i) continue;
      const factor = (rows[other * columns + i] ?? 0) / (rows[i * columns + i] ?? 1);
      for (let j = i; j < columns; j++)
        rows[other * columns + j] = (rows[other * columns + j] ?? 0) - factor * (rows[i * columns + j] ?? 0);
    }
  return Float64Array.from(
    { length: termCount },
    (_, i) => (rows[i * columns + termCount] ?? 0) / (rows[i * columns + i] ?? 1),
  );
}

function drawSurface(surface: Float64Array, { width, height }: GrayImage): Float32Array {
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
