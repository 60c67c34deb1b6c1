// What can go wrong between bytes and category. No status codes here: the service maps these to problems.

import type { ModelProblem } from './model-problems.js';

export class QuatiError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** The upload holds no bytes. */
export class EmptyImageError extends QuatiError {}

/** The bytes are no image of a kind that is accepted, whatever their name says. */
export class UnsupportedTypeError extends QuatiError {}

/** The bytes start like an image but do not decode to the end. */
export class UndecodableImageError extends QuatiError {}

/** The image has more pixels than `maxPixels`. */
export class TooManyPixelsError extends QuatiError {}

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

/** No model, version or variant of that name is loaded. */
export class ModelNotFoundError extends QuatiError {}

/** The model exists but is not (yet) fit to answer; the message says why. */
export class ModelNotReadyError extends QuatiError {
  /** @param outside the same without paths and texts of libraries, for clients. */
  constructor(
    message: string,
    readonly outside: string,
  ) {
    super(message);
  }
}

/** More images wait than `maxQueueImages`, or more bytes of them than `maxQueueBytes`. */
export class QueueFullError extends QuatiError {
  /** @param retryAfterMs when the images that wait should be done, by the rate of the last ones. */
  constructor(
    message: string,
    readonly retryAfterMs: number,
  ) {
    super(message);
  }
}

/** The request's deadline passed before its image ran. */
export class DeadlineExceededError extends QuatiError {}

/** The pipeline is closing and takes no more images. */
export class DrainingError extends QuatiError {}

/** An inference worker ended while it had an image, and so did the one that tried it again. */
export class WorkerLostError extends QuatiError {}

/** No inference worker can be started. */
export class WorkersUnavailableError extends QuatiError {}

/** The ONNX file is no classifier that fits its card: wrong types, shapes, number of outputs, or not loadable. */
export class ModelError extends QuatiError {}

/** How an error crosses threads, where its class doesn't survive. */
export interface ErrorMessage {
  name: string;
  message: string;
}

const crossing = new Map(
  [
    EmptyImageError,
    UnsupportedTypeError,
    UndecodableImageError,
    TooManyPixelsError,
    ModelNotFoundError,
    DeadlineExceededError,
    ModelError,
    WorkerLostError,
  ].map((type) => [type.name, type]),
);

export function errorToMessage({ name, message }: Error): ErrorMessage {
  return { name, message };
}

/** A class that doesn't cross becomes a ModelError. */
export function messageToError({ name, message }: ErrorMessage): QuatiError {
  return new (crossing.get(name) ?? ModelError)(message);
}
