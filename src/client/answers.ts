// JSON of unknown shape → the server's responses, with every used field checked.

export interface CategoryConfidence {
  category: string;
  /** 0…1. */
  confidence: number;
}

export interface Prediction extends CategoryConfidence {
  /** The best categories first; `top` sets their number. */
  predictions: CategoryConfidence[];
  model: { name: string; version: number; variant: string };
}

export interface ModelInfo {
  name: string;
  /** In the order of the model's output; empty if the server cannot read the model's card. */
  labels: string[];
  /** The version that serves requests which name no version. */
  version: number;
  ready: boolean;
}

/** Uses the confidence of the top-1 entry if the server sends no `confidence`. */
export function toPrediction(json: unknown): Prediction | undefined {
  if (!isObject(json) || typeof json.category !== 'string') return undefined;
  const { category, predictions, model } = json;
  if (!Array.isArray(predictions) || !predictions.every(isCategoryConfidence)) return undefined;
  const confidence = json.confidence ?? predictions[0]?.confidence;
  if (typeof confidence !== 'number' || !isObject(model)) return undefined;
  const { name, version, variant } = model;
  if (typeof name !== 'string' || typeof version !== 'number' || typeof variant !== 'string')
    return undefined;
  return { category, confidence, predictions, model: { name, version, variant } };
}

export function toModels(json: unknown): ModelInfo[] | undefined {
  if (!isObject(json) || !Array.isArray(json.models)) return undefined;
  const models = json.models.map(toModel);
  return models.every((model) => model !== undefined) ? models : undefined;
}

export function toModel(json: unknown): ModelInfo | undefined {
  if (!isObject(json) || typeof json.name !== 'string') return undefined;
  const { name, labels, version, ready } = json;
  if (!Array.isArray(labels) || !labels.every((label) => typeof label === 'string')) return undefined;
  if (typeof version !== 'number' || typeof ready !== 'boolean') return undefined;
  return { name, labels, version, ready };
}

function isCategoryConfidence(json: unknown): json is CategoryConfidence {
  return isObject(json) && typeof json.category === 'string' && typeof json.confidence === 'number';
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null;
}
