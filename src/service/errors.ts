// any error during a request → one problem of the catalogue (RFC 9457).
import {
  DeadlineExceededError,
  DrainingError,
  EmptyImageError,
  ModelNotFoundError,
  ModelNotReadyError,
  NoInkError,
  QuatiError,
  QueueFullError,
  TooComplexError,
  TooManyPixelsError,
  UndecodableImageError,
  UnsupportedTypeError,
  WorkersUnavailableError,
} from '../inference/errors.js';
import { cut } from './cut.js';

/** The body of a refusal (RFC 9457), as schemas/problem.ts documents it. */
export interface Problem {
  /** urn:quati:problem: and the code. */
  type: string;
  /** The same for every problem of this code. */
  title: string;
  status: number;
  /** What is wrong with this request. */
  detail: string;
  code: ProblemCode;
  requestId: string;
}

/** Members that only some problems have (RFC 9457, 3.2). */
type MoreMembers = Readonly<Record<string, unknown>>;

interface CatalogueEntry {
  status: number;
  title: string;
  /** Sent as Retry-After. */
  retryAfterSeconds?: number;
}

/** All problems that a request can have. */
export const catalogue = {
  bad_request: { status: 400, title: 'The request is malformed' },
  unauthorised: { status: 401, title: 'An API key is needed' },
  not_found: { status: 404, title: 'There is nothing at this path' },
  model_not_found: { status: 404, title: 'There is no such model, version or variant' },
  method_not_allowed: { status: 405, title: 'The path does not take this method' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  too_many_bytes: { status: 413, title: 'The upload has too many bytes' },
  too_many_pixels: { status: 413, title: 'The image has too many pixels' },
  too_complex: { status: 413, title: 'Decoding the image would take too much memory or time' },
  unsupported_type: { status: 415, title: 'The bytes are not an image of an accepted type' },
  expectation_failed: { status: 417, title: 'The Expect header is not known' },
  undecodable_image: { status: 422, title: 'The image is damaged' },
  no_ink: { status: 422, title: 'The image shows no ink' },
  queue_full: { status: 429, title: 'Too many images wait', retryAfterSeconds: 1 },
  rate_limited: { status: 429, title: 'Too many requests from one client' },
  headers_too_large: { status: 431, title: 'The request line and the headers are too long' },
  internal: { status: 500, title: 'The server failed' },
  not_ready: { status: 503, title: 'The model is not ready', retryAfterSeconds: 5 },
  draining: { status: 503, title: 'The server is shutting down', retryAfterSeconds: 5 },
  deadline_exceeded: { status: 504, title: 'The image was not classified in time' },
} as const satisfies Record<string, CatalogueEntry>;
export type ProblemCode = keyof typeof catalogue;

/** A problem that the HTTP layer finds itself; `message` becomes the problem's detail. */
export class ProblemError extends QuatiError {
  readonly members: MoreMembers;

  constructor(
    readonly code: ProblemCode,
    detail: string,
    { members = {}, ...options }: ErrorOptions & { members?: MoreMembers } = {},
  ) {
    super(detail, options);
    this.members = members;
  }
}

const codesOfInference: [abstract new (...args: never[]) => QuatiError, ProblemCode][] = [
  [EmptyImageError, 'bad_request'],
  [UnsupportedTypeError, 'unsupported_type'],
  [UndecodableImageError, 'undecodable_image'],
  [NoInkError, 'no_ink'],
  [TooManyPixelsError, 'too_many_pixels'],
  [TooComplexError, 'too_complex'],
  [ModelNotFoundError, 'model_not_found'],
  [ModelNotReadyError, 'not_ready'],
  [QueueFullError, 'queue_full'],
  [DrainingError, 'draining'],
  [WorkersUnavailableError, 'not_ready'],
  [DeadlineExceededError, 'deadline_exceeded'],
];

const codesOfFastify: Record<string, ProblemCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_many_bytes',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_type',
};

/** Errors cut what a client wrote. This limit is for those that do not. */
const maxDetail = 1000;

/** An unknown error becomes `internal`. Neither that nor other failures of the server show their details. */
export function errorToProblem(error: unknown, requestId: string): Problem {
  const code = errorToCode(error);
  const problem = createProblem(code, describeOutside(error, code), requestId);
  return error instanceof ProblemError ? { ...problem, ...error.members } : problem;
}

/** Whether the message is for the log only, because it may contain paths and texts of libraries. */
export function isInside(error: unknown, code = errorToCode(error)): boolean {
  return code === 'internal' || error instanceof WorkersUnavailableError;
}

function describeOutside(error: unknown, code: ProblemCode): string {
  if (error instanceof ModelNotReadyError) return error.outside;
  if (!isInside(error, code)) return cut((error as Error).message, maxDetail);
  return code === 'internal'
    ? 'The server failed to answer. Its log has the reason under this request id.'
    : 'No inference worker can be started. The log of the server has the reason.';
}

export function createProblem(code: ProblemCode, detail: string, requestId: string): Problem {
  const { status, title } = catalogue[code];
  return { type: `urn:quati:problem:${code}`, title, status, detail, code, requestId };
}

/** Returns the headers of a problem. Retry-After of a full queue is when the waiting images should be done. */
export function problemHeaders(code: ProblemCode, error?: unknown): Record<string, string> {
  const entry: CatalogueEntry = catalogue[code];
  const measured = error instanceof QueueFullError ? Math.ceil(error.retryAfterMs / 1000) : undefined;
  const seconds = measured ?? entry.retryAfterSeconds;
  return {
    ...(seconds !== undefined && { 'retry-after': String(seconds) }),
    ...(code === 'unauthorised' && { 'www-authenticate': 'Bearer' }),
  };
}

function errorToCode(error: unknown): ProblemCode {
  if (error instanceof ProblemError) return error.code;
  const inference = codesOfInference.find(([type]) => error instanceof type);
  if (inference) return inference[1];
  const { code, statusCode, name } = error as { code?: string; statusCode?: number; name?: string };
  // The client closed the connection: nobody reads the response, and the server did not fail.
  if (name === 'AbortError') return 'bad_request';
  const fastify = code === undefined ? undefined : codesOfFastify[code];
  if (fastify) return fastify;
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? 'bad_request' : 'internal';
}
