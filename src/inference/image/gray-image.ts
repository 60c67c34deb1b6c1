// a gray image → the same image in another size.

export interface GrayImage {
  readonly width: number;
  readonly height: number;
  /** height x width, 0…255. */
  readonly data: Uint8Array;
}

/** A rectangle in an image. `right` and `bottom` are one pixel past its last column and row. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

const noTaps: Taps = { first: 0, weights: new Float64Array() };

export function invert({ width, height, data }: GrayImage): GrayImage {
  return { width, height, data: data.map((value) => 255 - value) };
}

/**
 * Resizes with a separable triangle filter: bilinear if it enlarges, and widened by the scale if it shrinks, against aliasing.
 * `out[i] = Σ in[j] w(j - c) / Σ w`, `c = (i + ½) s - ½`, `w(d) = max(0, 1 - |d| / max(1, s))`, `s = in / out`.
 * It reads no pixel outside the box.
 * @param values of an image with rows of `stride` pixels.
 */
export function resampleBox(
  values: Float32Array | Uint8Array,
  stride: number,
  { left, top, right, bottom }: Box,
  width: number,
  height: number,
): Float32Array {
  const across = filterTaps(right - left, width);
  const down = filterTaps(bottom - top, height);
  const rows = bottom - top;
  const narrowed = new Float32Array(rows * width);
  for (let x = 0; x < width; x++) {
    const { first, weights } = across[x] ?? noTaps;
    for (let y = 0; y < rows; y++) {
      const start = (top + y) * stride + left + first;
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += (weights[i] ?? 0) * (values[start + i] ?? 0);
      narrowed[y * width + x] = sum;
    }
  }
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const { first, weights } = down[y] ?? noTaps;
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let i = 0; i < weights.length; i++)
        sum += (weights[i] ?? 0) * (narrowed[(first + i) * width + x] ?? 0);
      out[y * width + x] = sum;
    }
  }
  return out;
}

function filterTaps(from: number, to: number): Taps[] {
  const scale = from / to;
  const support = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale - 0.5;
    const first = Math.max(0, Math.ceil(centre - support));
    const last = Math.min(from - 1, Math.floor(centre + support));
    const weights = Float64Array.from({ length: last - first + 1 }, (_, j) =>
      Math.max(0, 1 - Math.abs(first + j - centre) / support),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => weight / total) };
  });
}
