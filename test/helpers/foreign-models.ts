// The classifiers that test/fixtures/foreign/record.py wrote as other tools do, and what ONNX Runtime makes of them.
import { readFileSync } from 'node:fs';
import { loadRuntime } from '../../src/inference/workers/runtime.js';
import type { CalibrationBatch } from '../../src/toolkit/quantisation/feeds.js';
import { projectUrl } from './project.js';
import { mulberry32, uniform } from './seeded-values.js';

export interface ForeignModel {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** As the file orders them, for a batch of that many. */
  readonly shape: (count: number) => number[];
  readonly pixels: 'float32' | 'uint8';
  /** The batch is fixed to 1. */
  readonly single?: true;
}

function read(name: string): Uint8Array {
  return readFileSync(new URL(`test/fixtures/foreign/${name}.onnx`, projectUrl));
}

const channelsFirst = (count: number) => [count, 3, 16, 16];

export const foreignModels: readonly ForeignModel[] = [
  { name: 'torch-resnet', shape: channelsFirst, pixels: 'float32' as const },
  { name: 'torch-mobilenet', shape: channelsFirst, pixels: 'float32' as const },
  { name: 'torch-squeezenet', shape: channelsFirst, pixels: 'float32' as const },
  { name: 'keras-cnn', shape: (count: number) => [count, 16, 16, 1], pixels: 'float32' as const },
  {
    name: 'keras-bytes',
    shape: (count: number) => [count, 16, 16, 3],
    pixels: 'uint8' as const,
    single: true as const,
  },
].map((model) => ({ ...model, bytes: read(model.name) }));

export function foreignModel(name: string): ForeignModel {
  const found = foreignModels.find((model) => model.name === name);
  if (!found) throw new Error(`there is no fixture ${name}`);
  return found;
}

/** Seeded pixels: 0…1, or 0…255 for bytes. */
export function foreignPixels({ shape, pixels }: ForeignModel, count: number, seed = 3): Float32Array {
  const length = shape(count).reduce((a, b) => a * b, 1);
  const values = uniform(mulberry32(seed), length, 0, 256);
  return Float32Array.from(values, (value) => Math.floor(value) / (pixels === 'uint8' ? 1 : 255));
}

/** The same pixels as the serving code gives them, channels first, in batches of 16. */
export function foreignBatches(model: ForeignModel, batches: number, seed = 100): CalibrationBatch[] {
  return Array.from({ length: batches }, (_, batch) => {
    const count = 16;
    const [, height = 0, width = 0, channels = 0] = model.shape(count);
    const pixels = foreignPixels(model, count, seed + batch);
    if (height === 3) return { images: pixels, count };
    const plane = height * width;
    const images = pixels.map((_, i) => {
      const [image, at] = [Math.floor(i / (plane * channels)), i % (plane * channels)];
      return pixels[image * plane * channels + (at % plane) * channels + Math.floor(at / plane)] ?? 0;
    });
    return { images, count };
  });
}

/** The first output for such pixels, one image after the other where the batch is fixed. */
export async function runForeign(
  model: ForeignModel,
  bytes: Uint8Array,
  images: Float32Array,
  count: number,
): Promise<Float64Array> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4, intraOpNumThreads: 1 });
  const [input = ''] = session.inputNames;
  const [output = ''] = session.outputNames;
  const atOnce = model.single ? 1 : count;
  const length = images.length / count;
  const results: number[] = [];
  for (let i = 0; i < count; i += atOnce) {
    const part = images.slice(i * length, (i + atOnce) * length);
    const data = model.pixels === 'uint8' ? Uint8Array.from(part) : part;
    const answer = await session.run({
      [input]: new Tensor(model.pixels, data as never, model.shape(atOnce)),
    });
    results.push(...((answer[output]?.data ?? []) as Float32Array));
  }
  await session.release();
  return Float64Array.from(results);
}
