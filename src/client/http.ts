// One request to a Quati server → its JSON, or a named error; retries when the server sends Retry-After.
import { setTimeout as delay } from 'node:timers/promises';
import {
  ConnectionLostError,
  ProblemError,
  ServerUnreachableError,
  TimeoutError,
  UnexpectedAnswerError,
} from './errors.js';

export interface Transport {
  /** Ends with a slash. */
  base: URL;
  /** Headers for every request. */
  headers: Record<string, string>;
  fetch: typeof fetch;
  /** The time limit for one attempt, without the pauses between attempts. */
  timeoutMs: number;
  /** The number of retries after a 429 or 503 with Retry-After. */
  retries: number;
  /** The longest pause that the server may request. */
  maxRetryDelayMs: number;
}

export interface Request {
  /** Relative to the base, without a leading slash. */
  path: string;
  body?: FormData;
  signal?: AbortSignal | undefined;
  /** Replaces the transport's value. */
  retries?: number | undefined;
}

/** The header that carries an API key. */
export function keyHeaders(apiKey: string | undefined): Record<string, string> {
  return apiKey === undefined ? {} : { 'x-api-key': apiKey };
}

const unreachable = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Sends a POST if there is a body, else a GET.
 * @throws ProblemError, ServerUnreachableError, ConnectionLostError, TimeoutError, UnexpectedAnswerError,
 * or the signal's reason.
 */
export async function requestJson(transport: Transport, request: Request): Promise<unknown> {
  for (let attempt = 0; ; attempt++) {
    const response = await send(transport, request);
    const text = await guarded(transport, request, () => response.text());
    if (response.ok) return parseAnswer(transport, request, text);
    const pauseMs = retryDelayMs(response);
    if (attempt >= (request.retries ?? transport.retries) || pauseMs === undefined)
      throw toProblem(response, text);
    const signal = request.signal;
    await delay(
      Math.min(pauseMs, transport.maxRetryDelayMs),
      undefined,
      signal === undefined ? {} : { signal },
    );
  }
}

async function send(transport: Transport, request: Request): Promise<Response> {
  const timeout = AbortSignal.timeout(transport.timeoutMs);
  const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]);
  const { body } = request;
  return await guarded(transport, request, () =>
    transport.fetch(new URL(request.path, transport.base), {
      signal,
      headers: { accept: 'application/json', ...transport.headers },
      ...(body === undefined ? {} : { method: 'POST', body }),
    }),
  );
}

async function guarded<T>(transport: Transport, request: Request, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (request.signal?.aborted) throw request.signal.reason;
    throw toConnectionError(transport, cause);
  }
}

function toConnectionError({ base, timeoutMs }: Transport, cause: unknown): Error {
  const url = shown(base);
  if (cause instanceof Error && cause.name === 'TimeoutError')
    return new TimeoutError(`${url}: no response within ${timeoutMs} ms`, { cause });
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const code = (reason as NodeJS.ErrnoException).code ?? '';
  if (unreachable.has(code))
    return new ServerUnreachableError(
      `${url}: no server responds (${code}). Start one with \`npm start\`, or give the URL of a running server`,
      { cause },
    );
  const message = reason instanceof Error ? reason.message : String(reason);
  return new ConnectionLostError(`${url}: the connection broke: ${message || code}`, { cause });
}

/** The pause that a 429 or 503 requests in Retry-After, as seconds or as a date; undefined means no retry. */
export function retryDelayMs(response: Response, now = Date.now()): number | undefined {
  if (response.status !== 429 && response.status !== 503) return undefined;
  const header = response.headers.get('retry-after');
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function toProblem(response: Response, text: string): ProblemError {
  const { status } = response;
  const problem = parseObject(text);
  const field = (name: string) => (typeof problem[name] === 'string' ? problem[name] : undefined);
  return new ProblemError({
    status,
    code: field('code') ?? `http_${status}`,
    detail: field('detail') ?? field('title') ?? (response.statusText || 'no detail given'),
    requestId: field('requestId'),
  });
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function parseAnswer(transport: Transport, request: Request, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unexpected(transport, request, text, cause);
  }
}

/** For a response with a success status and an invalid body. */
export function unexpected(
  { base }: Transport,
  { path }: Request,
  got: unknown,
  cause?: unknown,
): UnexpectedAnswerError {
  const text = (typeof got === 'string' ? got : JSON.stringify(got)).slice(0, 80);
  return new UnexpectedAnswerError(`${shown(base)}/${path}: is not a response of a Quati server: ${text}`, {
    cause,
  });
}

function shown(base: URL): string {
  return base.href.replace(/\/$/, '');
}
