// An ONNX classifier (file or bytes) → a session: the tensor of a batch → its scores.
import type { InferenceSession } from 'onnxruntime-node';
import { ModelError } from '../errors.js';
import { channelCount } from '../image/channels.js';
import type { InputContract } from '../image/contract.js';
import type { TensorValues } from '../image/tensor.js';
import { loadRuntime } from './runtime.js';

export interface SessionOptions {
  /** The card's input. It is checked against the model's, and it is required if the model's image size is dynamic. */
  input?: Pick<InputContract, 'width' | 'height' | 'channels' | 'layout' | 'dataType'>;
  /** The threads inside one operator; 1 by default, because several sessions share the machine. */
  intraOpThreads?: number;
}

export interface Session {
  /** Channels, height, width; or height, width, channels if the card's layout is nhwc. */
  readonly imageShape: readonly [number, number, number];
  /** 1 if the file has a fixed batch, or if images of a batch would affect each other's scores; else Infinity. */
  readonly mostAtOnce: number;
  /**
   * Runs the model.
   * @param batch `count` images of that shape, in the model's type. Values after them are ignored.
   * @returns count x labels scores.
   * @throws ModelError when the batch is too short or the output does not have one row per image.
   */
  run(batch: TensorValues, count: number): Promise<Float32Array>;
  /** Frees the native memory; `run` must not be called afterwards. */
  release(): Promise<void>;
}

/**
 * Loads a model, and runs it on noise.
 * @param model the path of an ONNX file, or its bytes. It has one float32 or uint8 input; the first output of float32 holds the scores.
 * @throws ModelError when it cannot be loaded, or when its input or output differs from that or from `options.input`.
 */
export async function openSession(
  model: string | Uint8Array,
  options: SessionOptions = {},
): Promise<Session> {
  const { Tensor } = await loadRuntime();
  const session = await createSession(model, options);
  const { input, output } = classifierMetadata(session, options.input?.dataType);
  const imageShape = resolveImageShape(input, options.input);
  const length = imageShape[0] * imageShape[1] * imageShape[2];

  async function runPart(
    batch: TensorValues,
    count: number,
    runOptions: InferenceSession.RunOptions = {},
  ): Promise<Float32Array> {
    const dims = [count, ...imageShape];
    const tensor =
      batch instanceof Uint8Array ? new Tensor('uint8', batch, dims) : new Tensor('float32', batch, dims);
    const feeds = { [input.name]: tensor };
    const { [output.name]: scores } = await session.run(feeds, [output.name], runOptions);
    if (!(scores?.data instanceof Float32Array) || scores.dims[0] !== count)
      throw new ModelError(`Output ${output.name} (dim 0): expected ${count}, got ${scores?.dims[0]}`);
    return scores.data;
  }

  const isApart = await runsApart(runPart, length, input);
  const mostAtOnce = isApart ? Number.POSITIVE_INFINITY : 1;
  return {
    imageShape,
    mostAtOnce,
    async run(batch, count) {
      if (count < 1 || batch.length < count * length)
        throw new ModelError(
          `Input ${input.name}: ${count} images need ${length} values each, got ${batch.length}`,
        );
      if (count <= mostAtOnce) return runPart(batch.subarray(0, count * length), count);
      const parts: Float32Array[] = [];
      for (let i = 0; i < count; i++)
        parts.push(await runPart(batch.subarray(i * length, (i + 1) * length), 1));
      return Float32Array.from(parts.flatMap((part) => [...part]));
    },
    release: () => session.release(),
  };
}

/** The allowed difference, as a part of the largest score. Rounding in int8 models causes less, another image in the batch more. */
const apartTolerance = 0.02;

/**
 * Whether images that run together get the scores that each gets alone. Traced models may have reshaped the batch into one image, and a
 * normalisation may go over the batch.
 * @throws what a run with one image throws.
 */
async function runsApart(
  run: (batch: TensorValues, count: number, options?: InferenceSession.RunOptions) => Promise<Float32Array>,
  length: number,
  { type, shape }: InferenceSession.TensorValueMetadata,
): Promise<boolean> {
  const images = [dimNoise, brightNoise].map((level) => {
    const values = type === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
    return values.map((_, i) => (type === 'uint8' ? 255 : 1) * level(i));
  });
  const [first, second] = images as [TensorValues, TensorValues];
  const alone = [...(await run(first, 1))];
  if (sizeOr(shape[0], 0) === 1) return false;
  alone.push(...(await run(second, 1)));
  const both = type === 'uint8' ? new Uint8Array(2 * length) : new Float32Array(2 * length);
  both.set(first);
  both.set(second, length);
  // A failure is an answer here, and not for the log.
  const together = await run(both, 2, { logSeverityLevel: 4 }).catch(() => undefined);
  if (together?.length !== alone.length) return false;
  const largest = Math.max(...alone.map(Math.abs));
  return alone.every((score, i) => Math.abs(score - (together[i] ?? Number.NaN)) <= apartTolerance * largest);
}

/** Values below 0.3, and above 0.5, without a short period. */
const dimNoise = (i: number) => 0.3 * ((i * 0.618_034) % 1);
const brightNoise = (i: number) => 0.5 + 0.5 * ((i * 0.754_878) % 1);

/** The input and output that a model declares. Dynamic sizes are names or undefined. */
export interface Signature {
  readonly inputType: string;
  readonly inputShape: readonly (number | string)[];
  readonly outputShape: readonly (number | string)[];
}

/** @throws ModelError when the model cannot be loaded, or has no input tensor or no output tensor. */
export async function readSignature(model: string | Uint8Array): Promise<Signature> {
  const session = await createSession(model, {});
  const [input] = session.inputMetadata;
  const output = session.outputMetadata.find(isScores);
  await session.release();
  if (!input?.isTensor || !output?.isTensor)
    throw new ModelError('The model has no input tensor or no output tensor of float32');
  return { inputType: input.type, inputShape: input.shape, outputShape: output.shape };
}

async function createSession(model: string | Uint8Array, options: SessionOptions): Promise<InferenceSession> {
  const { InferenceSession } = await loadRuntime();
  const settings: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    intraOpNumThreads: options.intraOpThreads ?? 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    // qdqisint8allowed: fuses layers between int8 activations into integer operators, also on x86.
    extra: { session: { intra_op: { allow_spinning: '0' }, qdqisint8allowed: '1' } },
  };
  try {
    // Two calls, because each overload takes only a path or only bytes.
    return typeof model === 'string'
      ? await InferenceSession.create(model, settings)
      : await InferenceSession.create(model, settings);
  } catch (cause) {
    throw new ModelError(`The model cannot be loaded: ${(cause as Error).message}`, { cause });
  }
}

function classifierMetadata(session: InferenceSession, dataType: InputContract['dataType'] = 'float32') {
  const [input, ...others] = session.inputMetadata;
  // Exporters of classical classifiers add the label, or a list of maps.
  const output = session.outputMetadata.find(isScores) ?? session.outputMetadata[0];
  if (!input?.isTensor || others.length > 0)
    throw new ModelError(`Inputs: expected one tensor, got ${session.inputNames.join(', ')}`);
  if (input.type !== dataType)
    throw new ModelError(`Input ${input.name}: the card states ${dataType}, the model ${input.type}`);
  if (input.shape.length !== 4)
    throw new ModelError(
      `Input ${input.name}: expected 4 dimensions (NCHW or NHWC), got ${input.shape.length}`,
    );
  // Exported models often have a fixed batch size of 1. They run one image after the other.
  if (sizeOr(input.shape[0], 1) !== 1)
    throw new ModelError(
      `Input ${input.name} (dim 0): expected a dynamic batch size or 1, got ${input.shape[0]}`,
    );
  if (!output?.isTensor || output.type !== 'float32')
    throw new ModelError(`Output ${output?.name}: expected a float32 tensor`);
  return { input, output };
}

function isScores(value: InferenceSession.ValueMetadata): boolean {
  return value.isTensor && value.type === 'float32';
}

function resolveImageShape(
  model: InferenceSession.TensorValueMetadata,
  card: SessionOptions['input'],
): [number, number, number] {
  const [, ...sizes] = model.shape;
  const wanted = card ? shapeOf(card) : [];
  const resolve = (i: number): number => {
    const size = sizeOr(sizes[i], wanted[i] ?? Number.NaN);
    if (Number.isNaN(size))
      throw new ModelError(
        `Input ${model.name} (dim ${i + 1}): its size is dynamic: options.input must give it`,
      );
    if (wanted[i] !== undefined && wanted[i] !== size)
      throw new ModelError(
        `Input ${model.name} (dim ${i + 1}): the card states ${wanted[i]}, the model ${size}`,
      );
    return size;
  };
  return [resolve(0), resolve(1), resolve(2)];
}

function shapeOf(card: NonNullable<SessionOptions['input']>): number[] {
  const channels = channelCount(card);
  return card.layout === 'nhwc' ? [card.height, card.width, channels] : [channels, card.height, card.width];
}

function sizeOr(size: number | string | undefined, free: number): number {
  return typeof size === 'number' && size >= 0 ? size : free;
}
