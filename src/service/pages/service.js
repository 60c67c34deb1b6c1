// a picture → the response of the service. Every failure is a ServiceError with a code.

/**
 * @typedef {{ name: string, title?: string, labels: string[], ready: boolean, problem?: string, variant?: string,
 *   version: number }} ModelSummary
 * @typedef {{ bytes: number, accuracy?: number }} Variant
 * @typedef {{ channels: string, polarity?: string, centre?: object }} Input
 * @typedef {{ input: Input, variants: Record<string, Variant> }} Card
 * @typedef {ModelSummary & { card?: Card, implied: boolean }} Model
 * @typedef {{ uploadMs: number, queueMs: number, decodeMs: number, inferenceMs: number }} Timings
 * @typedef {{ category: string, confidence: number }} Prediction
 * @typedef {Prediction & { predictions: Prediction[], timings: Timings,
 *   model: { name: string, version: number, variant: string } }} Answer
 * @typedef {{ model: string, variant: string }} Choice
 */

/** The API key, if the server needs one. It is sent with every request, and forgotten when the page closes. */
let apiKey = '';

/** @param {string} key */
export function useApiKey(key) {
  apiKey = key;
}

export function hasApiKey() {
  return apiKey !== '';
}

/** The number of requested categories. */
export const top = 5;

export class ServiceError extends Error {
  /**
   * @param {string} code of the problem, or `unreachable`, `unreadable_file`, `unknown`.
   * @param {{ detail?: string, requestId?: string }} [more] from the response of the service.
   */
  constructor(code, { detail = '', requestId = '' } = {}) {
    super(detail || code);
    this.code = code;
    this.detail = detail;
    this.requestId = requestId;
  }
}

/** @returns {Promise<Model[]>} sorted by name, with the card of the served version; `implied` marks the default model. */
export async function listModels() {
  const { models, default: implied } = await (await ask('models')).json();
  return Promise.all(
    models.map(async (/** @type {ModelSummary} */ model) => ({
      ...(await addCard(model)),
      implied: model.name === implied,
    })),
  );
}

/**
 * @param {Blob} picture
 * @param {Choice & { name: string, signal?: AbortSignal }} options
 * @returns {Promise<Answer>}
 */
export async function predict(picture, { name, signal, ...choice }) {
  const response = await ask(`${predictPath(choice)}&timings=true`, post(picture, name, signal));
  return response.json();
}

/**
 * @param {Blob} picture
 * @param {Choice & { name: string, signal?: AbortSignal }} options
 * @returns {Promise<Blob>} a PNG of the image that the model sees.
 */
export async function preview(picture, { name, signal, model }) {
  const response = await ask(`models/${encodeURIComponent(model)}/preview`, post(picture, name, signal));
  return response.blob();
}

/**
 * Returns a path relative to the page, so that a proxy may serve the page below any path.
 * @param {Choice} choice
 */
export function predictPath({ model, variant }) {
  return `predict?${new URLSearchParams({ model, variant, top: String(top) })}`;
}

/**
 * @param {ModelSummary} model
 * @returns {Promise<ModelSummary & { card?: Card }>}
 */
async function addCard(model) {
  const { versions } = await (await ask(`models/${encodeURIComponent(model.name)}`)).json();
  /** @type {{ version: number, card?: Card } | undefined} */
  const served = versions.find((/** @type {{ version: number }} */ { version }) => version === model.version);
  return served?.card ? { ...model, card: served.card } : model;
}

/**
 * @param {Blob} picture
 * @param {string} name
 * @param {AbortSignal} [signal]
 * @returns {RequestInit}
 */
function post(picture, name, signal) {
  const body = new FormData();
  body.append('file', picture, name);
  return { method: 'POST', body, ...(signal && { signal }) };
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function ask(path, options) {
  const headers = hasApiKey() ? { 'x-api-key': apiKey } : {};
  const response = await fetch(new URL(path, document.baseURI), { ...options, headers }).catch((error) => {
    throw error.name === 'AbortError' ? error : new ServiceError('unreachable');
  });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new ServiceError(problem.code ?? 'unknown', problem);
}
