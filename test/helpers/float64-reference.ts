// Layers in float64, straight from their formulas and without the code under test: ONNX Runtime has no float64 Conv.

export interface Array64 {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float64Array;
}

export interface ConvSettings {
  readonly strides?: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads?: readonly [number, number, number, number];
  readonly dilations?: readonly [number, number];
  readonly groups?: number;
}

/** One step of a net. */
export type Layer64 = (x: Array64) => Array64;

export function array64(shape: readonly number[], data: ArrayLike<number>): Array64 {
  return { shape, data: Float64Array.from(data) };
}

export function runLayers(layers: readonly Layer64[], x: Array64): Array64 {
  return layers.reduce((value, layer) => layer(value), x);
}

/** y[n, k, oy, ox] = b[k] + sum over c, i, j of w[k, c, i, j] x[n, c of k's group, oy s + i d - top, ox s + j d - left]. */
export function conv2d(x: Array64, w: Array64, b?: Array64, settings: ConvSettings = {}): Array64 {
  const { strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], groups = 1 } = settings;
  const [batch = 0, , height = 0, width = 0] = x.shape;
  const [filters = 0, channels = 0, kernelY = 0, kernelX = 0] = w.shape;
  const outY = Math.floor((height + pads[0] + pads[2] - dilations[0] * (kernelY - 1) - 1) / strides[0]) + 1;
  const outX = Math.floor((width + pads[1] + pads[3] - dilations[1] * (kernelX - 1) - 1) / strides[1]) + 1;
  return fill([batch, filters, outY, outX], ([n, k, oy, ox]) => {
    const firstChannel = Math.floor(k / (filters / groups)) * channels;
    let sum = b?.data[k] ?? 0;
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < kernelY; i++)
        for (let j = 0; j < kernelX; j++) {
          const y = oy * strides[0] + i * dilations[0] - pads[0];
          const z = ox * strides[1] + j * dilations[1] - pads[1];
          if (y < 0 || y >= height || z < 0 || z >= width) continue;
          sum += at(w, k, c, i, j) * at(x, n, firstChannel + c, y, z);
        }
    return sum;
  });
}

export interface PoolSettings extends Pick<ConvSettings, 'pads' | 'dilations'> {
  /** A last window that reaches over the end of the image counts; else it is left out, as ONNX does. */
  readonly ceil?: boolean;
}

/** The largest of each window's pixels that lie on the image. */
export function maxPool(
  x: Array64,
  kernel: readonly [number, number],
  strides: readonly [number, number],
  { pads = [0, 0, 0, 0], dilations = [1, 1], ceil = false }: PoolSettings = {},
): Array64 {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const [outY, outX] = ([0, 1] as const).map((axis) => {
    const size = (axis === 0 ? height : width) + pads[axis] + pads[axis === 0 ? 2 : 3];
    const positions = (size - dilations[axis] * (kernel[axis] - 1) - 1) / strides[axis];
    return (ceil ? Math.ceil(positions) : Math.floor(positions)) + 1;
  });
  return fill([batch, channels, outY ?? 0, outX ?? 0], ([n, c, oy, ox]) => {
    let largest = -Infinity;
    for (let i = 0; i < kernel[0]; i++)
      for (let j = 0; j < kernel[1]; j++) {
        const y = oy * strides[0] + i * dilations[0] - pads[0];
        const z = ox * strides[1] + j * dilations[1] - pads[1];
        if (y >= 0 && y < height && z >= 0 && z < width) largest = Math.max(largest, at(x, n, c, y, z));
      }
    return largest;
  });
}

export function globalAveragePool(x: Array64): Array64 {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const area = height * width;
  const data = Float64Array.from({ length: batch * channels }, (_, i) =>
    sum64(x.data.subarray(i * area, (i + 1) * area)),
  );
  return { shape: [batch, channels, 1, 1], data: data.map((sum) => sum / area) };
}

/** max(x, 0). */
export function relu(x: Array64): Array64 {
  return { shape: x.shape, data: x.data.map((value) => Math.max(value, 0)) };
}

export function flatten(x: Array64): Array64 {
  const [batch = 0, ...rest] = x.shape;
  return { shape: [batch, rest.reduce((a, b) => a * b, 1)], data: x.data };
}

/** y = x w^T + b, w being [outputs, inputs]. */
export function dense(x: Array64, w: Array64, b: Array64): Array64 {
  const [batch = 0, inputs = 0] = x.shape;
  const [outputs = 0] = w.shape;
  const data = new Float64Array(batch * outputs);
  for (let n = 0; n < batch; n++)
    for (let k = 0; k < outputs; k++) {
      let sum = b.data[k] ?? 0;
      for (let i = 0; i < inputs; i++)
        sum += (x.data[n * inputs + i] as number) * (w.data[k * inputs + i] as number);
      data[n * outputs + k] = sum;
    }
  return { shape: [batch, outputs], data };
}

/** log softmax of each row of [N, labels], with the row's maximum taken off first. */
export function logSoftmax(x: Array64): Array64 {
  const [batch = 0, labels = 0] = x.shape;
  const data = Float64Array.from(x.data);
  for (let n = 0; n < batch; n++) {
    const row = data.subarray(n * labels, (n + 1) * labels);
    const largest = Math.max(...row);
    const logSum = largest + Math.log(sum64(row.map((value) => Math.exp(value - largest))));
    row.forEach((value, i) => {
      row[i] = value - logSum;
    });
  }
  return { shape: x.shape, data };
}

/**
 * df/dvalues[i] ≈ (f(values[i] + h) - f(values[i] - h)) / 2h at each of the indices: off by O(h²) and by rounding/h.
 * `f` reads `values`, which are as before afterwards.
 */
export function finiteDifferences(
  f: () => number,
  values: Float64Array,
  indices: readonly number[],
  h = 1e-5,
): Float64Array {
  return Float64Array.from(indices, (index) => {
    const value = values[index] as number;
    values[index] = value + h;
    const above = f();
    values[index] = value - h;
    const below = f();
    values[index] = value;
    return (above - below) / (2 * h);
  });
}

export function sum64(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

type Index4 = readonly [number, number, number, number];

function at({ shape, data }: Array64, a: number, b: number, c: number, d: number): number {
  const [, size1 = 0, size2 = 0, size3 = 0] = shape;
  return data[((a * size1 + b) * size2 + c) * size3 + d] as number;
}

function fill(shape: Index4, valueAt: (index: Index4) => number): Array64 {
  const data = new Float64Array(shape[0] * shape[1] * shape[2] * shape[3]);
  let position = 0;
  for (let a = 0; a < shape[0]; a++)
    for (let b = 0; b < shape[1]; b++)
      for (let c = 0; c < shape[2]; c++)
        for (let d = 0; d < shape[3]; d++) data[position++] = valueAt([a, b, c, d]);
  return { shape, data };
}
