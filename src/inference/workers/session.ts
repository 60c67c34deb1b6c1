// an ONNX classifier (file or bytes) → a session: a batch's tensor → its scores.
import type { InferenceSession } from 'onnxruntime-node';
import { ModelError } from '../errors.js';
import { channelCount } from '../image/channels.js';
import type { InputContract } from '../image/contract.js';
import type { TensorValues } from '../image/tensor.js';
import { loadRuntime } from './runtime.js';

export interface SessionOptions {
  /** The card's input: checked against the model's, and needed where the model leaves the image's size free. */
  input?: Pick<InputContract, 'width' | 'height' | 'channels' | 'layout' | 'dataType'>;
  /** Threads inside one operator; default 1, as several sessions share the machine. */
  intraOpThreads?: number;
}

export interface Session {
  /** Channels, height, width; or height, width, channels where the card's layout is nhwc. */
  readonly imageShape: readonly [number, number, number];
  /**
   * @param batch count images of that shape, in the model's type; what follows them isn't looked at.
   * @returns count x labels scores.
   * @throws ModelError when the batch is too short or the output isn't one row an image.
   */
  run(batch: TensorValues, count: number): Promise<Float32Array>;
  /** Frees the native memory; `run` must not be called afterwards. */
  release(): Promise<void>;
}

/**
 * @param model the path of an ONNX file, or its bytes: one float32 or uint8 input; the first output is the scores.
 * @throws ModelError when it can't be loaded, or its input and output are others than that or than `options.input`.
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
  const mostAtOnce = sizeOr(input.shape[0], Number.POSITIVE_INFINITY);

  async function runPart(batch: TensorValues, count: number): Promise<Float32Array> {
    const dims = [count, ...imageShape];
    const tensor =
      batch instanceof Uint8Array ? new Tensor('uint8', batch, dims) : new Tensor('float32', batch, dims);
    const feeds = { [input.name]: tensor };
    const { [output.name]: scores } = await session.run(feeds, [output.name]);
    if (!(scores?.data instanceof Float32Array) || scores.dims[0] !== count)
      throw new ModelError(`Output ${output.name} (dim 0): expected ${count}, got ${scores?.dims[0]}`);
    return scores.data;
  }

  return {
    imageShape,
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

/** What a model says of its own input and output; free sizes are names or undefined. */
export interface Signature {
  readonly inputType: string;
  readonly inputShape: readonly (number | string)[];
  readonly outputShape: readonly (number | string)[];
}

/** @throws ModelError when it can't be loaded or has no tensor to put in and get out. */
export async function readSignature(model: string | Uint8Array): Promise<Signature> {
  const session = await createSession(model, {});
  const [input] = session.inputMetadata;
  const [output] = session.outputMetadata;
  await session.release();
  if (!input?.isTensor || !output?.isTensor)
    throw new ModelError('The model has no tensor to put in, or none to get out');
  return { inputType: input.type, inputShape: input.shape, outputShape: output.shape };
}

async function createSession(model: string | Uint8Array, options: SessionOptions): Promise<InferenceSession> {
  const { InferenceSession } = await loadRuntime();
  const settings: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    intraOpNumThreads: options.intraOpThreads ?? 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    // qdqisint8allowed: on x86 too, layers between int8 activations are fused into integer operators.
    extra: { session: { intra_op: { allow_spinning: '0' }, qdqisint8allowed: '1' } },
  };
  try {
    // Two calls: the overloads take a path or bytes, not either.
    return typeof model === 'string'
      ? await InferenceSession.create(model, settings)
      : await InferenceSession.create(model, settings);
  } catch (cause) {
    throw new ModelError(`The model can't be loaded: ${(cause as Error).message}`, { cause });
  }
}

function classifierMetadata(session: InferenceSession, dataType: InputContract['dataType'] = 'float32') {
  const [input, ...others] = session.inputMetadata;
  const [output] = session.outputMetadata;
  if (!input?.isTensor || others.length > 0)
    throw new ModelError(`Inputs: expected one tensor, got ${session.inputNames.join(', ')}`);
  if (input.type !== dataType)
    throw new ModelError(`Input ${input.name}: the card says ${dataType}, the model ${input.type}`);
  if (input.shape.length !== 4)
    throw new ModelError(`Input ${input.name}: expected 4 dims (NCHW or NHWC), got ${input.shape.length}`);
  // Exported models often fix the batch size at 1: those see one image after the other.
  if (sizeOr(input.shape[0], 1) !== 1)
    throw new ModelError(
      `Input ${input.name} (dim 0): expected a free batch size or 1, got ${input.shape[0]}`,
    );
  if (!output?.isTensor || output.type !== 'float32')
    throw new ModelError(`Output ${output?.name}: expected a float32 tensor`);
  return { input, output };
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
        `Input ${model.name} (dim ${i + 1}): its size is free: options.input has to say it`,
      );
    if (wanted[i] !== undefined && wanted[i] !== size)
      throw new ModelError(
        `Input ${model.name} (dim ${i + 1}): the card says ${wanted[i]}, the model ${size}`,
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
