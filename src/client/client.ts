// The bytes of an image → a Quati server's prediction, over HTTP.
import { type ModelInfo, type Prediction, toModel, toModels, toPrediction } from './answers.js';
import { ProblemError, ServerUnreachableError } from './errors.js';
import { keyHeaders, type Request, requestJson, type Transport, unexpected } from './http.js';

export type { CategoryConfidence, ModelInfo, Prediction } from './answers.js';
export * from './errors.js';

export interface ClientOptions {
  /** The server's URL, e.g. `http://localhost:8000`; a path in it is kept. */
  baseUrl: string;
  /** The API key, for a server that requires one. */
  apiKey?: string | undefined;
  fetch?: typeof fetch;
  /** The time limit for one attempt; 30 seconds by default. */
  timeoutMs?: number;
  /** The number of retries after a 429 or 503 with Retry-After; 3 by default. */
  retries?: number;
  /** The longest pause before a retry; 10 seconds by default. */
  maxRetryDelayMs?: number;
}

export interface PredictOptions {
  /** The model's name; the server's default model if absent. */
  model?: string | undefined;
  /** The model's version; the highest if absent. Needs `model`. */
  version?: number | undefined;
  /** The number of categories in the prediction; 1 by default. */
  top?: number | undefined;
  /** The file name in the form that is sent; the server does not use it. */
  filename?: string | undefined;
  /** The limit for this image; replaces the client's value. */
  retries?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface Client {
  /**
   * Classifies one image.
   * @param image the bytes of a PNG, JPEG, WebP or GIF file.
   * @throws ProblemError, ServerUnreachableError, ConnectionLostError, TimeoutError, UnexpectedAnswerError,
   * or the signal's reason.
   */
  predict: (image: Uint8Array | Blob, options?: PredictOptions) => Promise<Prediction>;
  /** Returns the server's models by name. @throws the same errors as `predict`. */
  models: (signal?: AbortSignal) => Promise<ModelInfo[]>;
  /** Returns one model and its labels. @throws the same errors as `predict`. */
  model: (name: string, signal?: AbortSignal) => Promise<ModelInfo>;
  /** Returns whether the server is ready; false if no server responds. @throws the other errors of `predict`. */
  ready: (signal?: AbortSignal) => Promise<boolean>;
}

/** @throws TypeError when `baseUrl` is not an http(s) URL. */
export function createClient(options: ClientOptions): Client {
  const transport: Transport = {
    base: parseBaseUrl(options.baseUrl),
    headers: keyHeaders(options.apiKey),
    fetch: options.fetch ?? fetch,
    timeoutMs: options.timeoutMs ?? 30_000,
    retries: options.retries ?? 3,
    maxRetryDelayMs: options.maxRetryDelayMs ?? 10_000,
  };
  async function ask<T>(request: Request, read: (json: unknown) => T | undefined): Promise<T> {
    const json = await requestJson(transport, request);
    const answer = read(json);
    if (answer === undefined) throw unexpected(transport, request, json);
    return answer;
  }
  return {
    predict: async (image, predictOptions = {}) => ask(predictRequest(image, predictOptions), toPrediction),
    models: async (signal) => ask({ path: 'models', signal }, toModels),
    model: async (name, signal) => ask({ path: `models/${encodeURIComponent(name)}`, signal }, toModel),
    ready: async (signal) => isReady(transport, signal),
  };
}

function parseBaseUrl(baseUrl: string): URL {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new TypeError(`baseUrl expected an http(s) URL, e.g. http://localhost:8000, got ${baseUrl}`);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

function predictRequest(image: Uint8Array | Blob, options: PredictOptions): Request {
  const { model, version, top = 1, filename = 'image', signal, retries } = options;
  if (version !== undefined && model === undefined) throw new TypeError('a version needs a model');
  const body = new FormData();
  body.append('file', image instanceof Blob ? image : new Blob([image]), filename);
  const versioned = version === undefined ? '' : `versions/${version}/`;
  const path = model === undefined ? '' : `models/${encodeURIComponent(model)}/${versioned}`;
  return { path: `${path}predict?top=${top}`, body, signal, retries };
}

async function isReady(transport: Transport, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await requestJson(transport, { path: 'health/ready', signal, retries: 0 });
    return true;
  } catch (error) {
    if (error instanceof ServerUnreachableError) return false;
    if (error instanceof ProblemError && error.status === 503) return false;
    throw error;
  }
}
