// In one thread: images for one model → decode → tensor → session → the scores or the error of each image.

import { monotonicMs } from '../clock.js';
import { DeadlineExceededError, type ErrorMessage, errorToMessage, ModelError } from '../errors.js';
import { channelCount } from '../image/channels.js';
import type { InputContract } from '../image/contract.js';
import type { DecodeLimits } from '../image/decode.js';
import { decodeAtOnce } from '../image/decode-at-once.js';
import {
  createTensor,
  createTensorWriter,
  type TensorValues,
  type TensorWriter,
  tensorLength,
} from '../image/tensor.js';
import { openSession, type Session } from './session.js';

/** A model to load. */
export interface RunnerModel {
  key: string;
  /** The path of the variant's .onnx file. */
  file: string;
  input: InputContract;
  /** Loaded at its first request instead of at the start, and closed when others on demand are used more recently. */
  onDemand?: boolean | undefined;
}

/** The input: an image's file, for its scores or only its pixels, or an image that is already a tensor. */
export type RunnerImage = (
  | { bytes: Uint8Array; wanted: 'scores' | 'golden' | 'pixels' }
  /** The tensor in the layout and type of the model. */
  | { tensor: TensorValues }
) & {
  /** On the clock of clock.ts. An image that is not decoded by then is not run. */
  deadline: number;
};

/** The output. Pixels are height x width x channels, 0…255: the model's view of the image. */
export type RunnerResult = (
  | { scores: Float32Array; inferenceMs: number }
  | { pixels: Uint8Array }
  | { error: ErrorMessage }
) & { decodeMs: number };

export interface Runner {
  /** Returns one result per image, in order. Never rejects. */
  run(key: string, images: readonly RunnerImage[]): Promise<RunnerResult[]>;
}

interface OpenModel {
  input: InputContract;
  session: Session;
  write: TensorWriter;
  length: number;
  /** Grows to the largest batch so far. */
  batch: TensorValues;
}

/** A folder may have hundreds of versions, and most of them are hardly used. */
const mostOnDemand = 4;

interface RunnerOptions {
  /** Fail if a model cannot be loaded: all could be before, so a file was removed, and other workers still have it. */
  mustOpen?: boolean;
}

/** Loads every model that is not on demand. A model that fails gives its error to its own images only. */
export async function createRunner(
  models: readonly RunnerModel[],
  maxPixels: number,
  { mustOpen = false }: RunnerOptions = {},
): Promise<Runner> {
  const known = new Map(models.map((model) => [model.key, model]));
  /** The most recently used last. */
  const open = new Map<string, OpenModel | Error>();
  for (const model of models) {
    const opened = model.onDemand ? undefined : await find(model.key);
    if (mustOpen && opened instanceof Error) throw opened;
  }

  async function find(key: string): Promise<OpenModel | Error> {
    const model = known.get(key);
    if (!model) return new ModelError(`This worker has no model ${key}`);
    const found = open.get(key);
    const opened = found ?? (await openModel(model).catch((error: unknown) => error as Error));
    open.delete(key);
    open.set(key, opened);
    if (!found) await closeUnused();
    return opened;
  }

  async function closeUnused(): Promise<void> {
    const onDemand = [...open].filter(([key]) => known.get(key)?.onDemand);
    for (const [key, model] of onDemand.slice(0, -mostOnDemand)) {
      open.delete(key);
      if (!(model instanceof Error)) await model.session.release();
    }
  }

  return {
    async run(key, images) {
      const model = await find(key);
      if (model instanceof Error) return images.map(() => ({ error: errorToMessage(model), decodeMs: 0 }));
      return await runBatch(model, images, maxPixels);
    },
  };
}

async function openModel({ file, input }: RunnerModel): Promise<OpenModel> {
  const session = await openSession(file, { input });
  const batch = createTensor(input, 1);
  return { input, session, write: createTensorWriter(input), length: tensorLength(input), batch };
}

async function runBatch(
  model: OpenModel,
  images: readonly RunnerImage[],
  maxPixels: number,
): Promise<RunnerResult[]> {
  const results: RunnerResult[] = [];
  /** The image of each row of the batch. */
  const rows: number[] = [];
  if (model.batch.length < images.length * model.length)
    model.batch = createTensor(model.input, images.length);
  await Promise.all(
    images.map(async (image, i) => {
      const decodeStart = performance.now();
      try {
        const pixels =
          'bytes' in image && (await toPixels(image.bytes, model.input, decodeLimits(image, maxPixels)));
        const decodeMs = performance.now() - decodeStart;
        if (monotonicMs() > image.deadline)
          throw new DeadlineExceededError('The deadline passed while the image was decoded');
        if (pixels) results[i] = { pixels, decodeMs };
        if ('wanted' in image && image.wanted === 'pixels') return;
        if (pixels) model.write(pixels, model.batch, rows.length * model.length);
        if ('tensor' in image) copyRow(model, image.tensor, rows.length);
        rows.push(i);
      } catch (error) {
        results[i] = { error: errorToMessage(error as Error), decodeMs: performance.now() - decodeStart };
      }
    }),
  );
  await scoreRows(model, rows, results);
  return results;
}

/** A golden sample may be without ink: it was recorded so. */
function decodeLimits(image: RunnerImage, maxPixels: number): DecodeLimits {
  const needsInk = !('wanted' in image && image.wanted === 'golden');
  return { maxPixels, deadline: image.deadline, needsInk };
}

/** Decodes without a turn of the event loop if the kind of image allows it. Loads sharp only when an image needs it. */
function toPixels(bytes: Uint8Array, input: InputContract, limits: DecodeLimits) {
  return decodeAtOnce(bytes, input, limits) ?? decodeBySharp(bytes, input, limits);
}

async function decodeBySharp(bytes: Uint8Array, input: InputContract, limits: DecodeLimits) {
  const { decodeImage } = await import('../image/decode.js');
  return (await decodeImage(bytes, input, limits)).data;
}

function copyRow(model: OpenModel, values: TensorValues, row: number): void {
  if (values.length !== model.length) {
    const { width, height } = model.input;
    const shape = `${channelCount(model.input)} x ${height} x ${width}`;
    throw new ModelError(`Tensor: expected ${shape} = ${model.length} values, got ${values.length}`);
  }
  const { name } = model.batch.constructor;
  if (values.constructor.name !== name)
    throw new ModelError(`Tensor: expected ${name}, got ${values.constructor.name}`);
  model.batch.set(values, row * model.length);
}

async function scoreRows(model: OpenModel, rows: readonly number[], results: RunnerResult[]): Promise<void> {
  if (rows.length === 0) return;
  const start = performance.now();
  const outcome = await model.session.run(model.batch, rows.length).catch((error: unknown) => error as Error);
  const inferenceMs = performance.now() - start;
  for (const [row, i] of rows.entries()) {
    const decodeMs = results[i]?.decodeMs ?? 0;
    if (outcome instanceof Error) {
      results[i] = { error: errorToMessage(outcome), decodeMs };
      continue;
    }
    const labels = outcome.length / rows.length;
    results[i] = { scores: outcome.subarray(row * labels, (row + 1) * labels), inferenceMs, decodeMs };
  }
}
