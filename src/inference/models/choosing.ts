// The model and version that a request names → the version that serves it.

import { ModelNotFoundError } from '../errors.js';
import type { VariantName } from './card.js';
import { type StoredModel, withVariant } from './repository.js';
import type { ModelStatus } from './status.js';

/** The model for a request that names none, if there are several. */
export interface Defaults {
  /** The default model. If it does not exist, the request fails. */
  defaultModel?: string | undefined;
  /** Used if no default is set and the folder has this model. */
  fallbackModel?: string | undefined;
}

/**
 * Finds the version for a request. Model: the requested, else the default, else the only one, else the fallback. Version: the
 * requested, else the served one. @throws ModelNotFoundError
 */
export function chooseVersion(
  status: readonly ModelStatus[],
  defaults: Defaults,
  asked: { name?: string | undefined; version?: number | undefined },
): ModelStatus {
  const { name = impliedName(status, defaults), version } = asked;
  if (name === undefined) throw new ModelNotFoundError(`The request names no model; ${listNames(status)}`);
  const versions = status.filter((model) => model.name === name);
  const found = versions.find((model) => (version === undefined ? model.served : model.version === version));
  if (found) return found;
  if (versions.length > 0)
    throw new ModelNotFoundError(
      `Model ${name} has no version ${version}; it has ${versions.map((model) => model.version).join(', ')}`,
    );
  throw new ModelNotFoundError(`There is no model ${cut(name)}; ${listNames(status)}`);
}

/** Returns the requested variant, else the served one. @throws ModelNotFoundError */
export function variantOf<Model extends StoredModel>(
  model: Model,
  variant: VariantName = model.variant,
): Model {
  const chosen = withVariant(model, variant);
  if (chosen) return chosen;
  const variants = Object.keys(model.card.variants).join(', ');
  throw new ModelNotFoundError(
    `${model.name} version ${model.version} has no variant ${variant}; it has ${variants}`,
  );
}

/** The model for a request that names none; undefined if a request must name one. */
export function impliedName(
  status: readonly ModelStatus[],
  { defaultModel, fallbackModel }: Defaults,
): string | undefined {
  if (defaultModel !== undefined) return defaultModel;
  const names = [...new Set(status.map((model) => model.name))];
  if (names.length <= 1) return names[0] ?? fallbackModel;
  return fallbackModel !== undefined && names.includes(fallbackModel) ? fallbackModel : undefined;
}

/** The name is the client's and may have any length. */
function cut(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}

function listNames(status: readonly ModelStatus[]): string {
  const names = [...new Set(status.map((model) => model.name))];
  return names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`;
}
