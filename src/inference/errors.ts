// The errors between bytes and category. They have no status codes: the service maps them to problems.

import type { ModelProblem } from './model-problems.js';

export class QuatiError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** The upload holds no bytes. */
export class EmptyImageError extends QuatiError {}

/** The bytes are not an image of an accepted kind. Their file name does not matter. */
export class UnsupportedTypeError extends QuatiError {}

/** The bytes start like an image but cannot be decoded completely. */
export class UndecodableImageError extends QuatiError {}

/** A model with digit rules got an image in which they find no ink. */
export class NoInkError extends QuatiError {}

/** The image has more pixels than `maxPixels`. */
export class TooManyPixelsError extends QuatiError {}

/** Decoding the image would take more memory or work than its limits allow, whatever its size in bytes and pixels. */
export class TooComplexError extends QuatiError {}

/** card.json is missing, malformed, or contradicts itself; or a folder or file beside it is wrong. */
export class CardError extends QuatiError {
  readonly problem: ModelProblem;

  /** @param options.problem the code for clients; default card_invalid. */
  constructor(message: string, { problem = 'card_invalid', ...options }: CardErrorOptions = {}) {
    super(message, options);
    this.problem = problem;
  }
}

interface CardErrorOptions extends ErrorOptions {
  problem?: ModelProblem;
}

/** Whether the process has no files or no memory left for now: that says nothing about the file that it wanted to read. */
export function isExhausted(error: unknown): boolean {
  const { code, cause } = error as NodeJS.ErrnoException;
  return ['EMFILE', 'ENFILE', 'ENOMEM'].includes(code ?? '') || (cause !== undefined && isExhausted(cause));
}

/** No model, version or variant with this name is loaded. */
export class ModelNotFoundError extends QuatiError {}

/** The model exists but is not ready; the message states the reason. */
export class ModelNotReadyError extends QuatiError {
  /** @param outside the same without paths and texts of libraries, for clients. */
  constructor(
    message: string,
    readonly outside: string,
  ) {
    super(message);
  }
}

/** The queue holds more than `maxQueueImages` images or `maxQueueBytes` bytes. */
export class QueueFullError extends QuatiError {
  /** @param retryAfterMs the time until the waiting images should be done, estimated from the last batches. */
  constructor(
    message: string,
    readonly retryAfterMs: number,
  ) {
    super(message);
  }
}

/** The request's deadline passed before its image ran. */
export class DeadlineExceededError extends QuatiError {}

/** The pipeline is closing and accepts no more images. */
export class DrainingError extends QuatiError {}

/** An inference worker stopped while it ran an image, and so did a second worker with the same image. */
export class WorkerLostError extends QuatiError {}

/** No inference worker can be started. */
export class WorkersUnavailableError extends QuatiError {}

/** The ONNX file cannot be loaded, or does not fit its card: its types, shapes or number of outputs differ. */
export class ModelError extends QuatiError {}

/** The form of an error in a message between threads, which would lose its class. */
export interface ErrorMessage {
  name: string;
  message: string;
}

const crossing = new Map(
  [
    EmptyImageError,
    UnsupportedTypeError,
    UndecodableImageError,
    NoInkError,
    TooManyPixelsError,
    TooComplexError,
    ModelNotFoundError,
    DeadlineExceededError,
    ModelError,
    WorkerLostError,
  ].map((type) => [type.name, type]),
);

export function errorToMessage({ name, message }: Error): ErrorMessage {
  return { name, message };
}

/** An error of another class becomes a ModelError. */
export function messageToError({ name, message }: ErrorMessage): QuatiError {
  return new (crossing.get(name) ?? ModelError)(message);
}
