// stored models and a pool → which of them answer, and which one a request means.
import type { VariantFigures } from './auto-variant.js';
import type { Card, VariantName } from './card.js';
import { scoresToConfidences } from './category.js';
import { ModelNotFoundError, ModelNotReadyError } from './errors.js';
import { replayGolden } from './golden.js';
import type { Pool } from './pool.js';
import { type Repository, type StoredModel, withVariant } from './repository.js';
import { createTensor } from './tensor.js';
import { resultToScores } from './wire.js';

/** What is known of one version. */
export interface ModelStatus {
  name: string;
  version: number;
  /** Whether a request that names no version gets this one: the highest. */
  served: boolean;
  ready: boolean;
  /** Why it isn't ready. */
  problem?: string;
  /** The variant that serves, and why it does. Missing with the card where that can't be read. */
  variant?: VariantName;
  variantReason?: string;
  /** Where variants were compared: what was known of each. */
  figures?: VariantFigures[];
  card?: Card;
}

export interface ModelSet {
  /** By name, then version. */
  readonly status: readonly ModelStatus[];
  /**
   * Name: as asked, else the default, else the only one, else cifar10. Version: as asked, else the highest. Variant: as
   * asked, else the one that serves.
   * @throws ModelNotFoundError, ModelNotReadyError
   */
  choose(name?: string, version?: number, variant?: VariantName): StoredModel;
}

const fallbackName = 'cifar10';

/** Runs every stored model once and replays its golden images; one that fails leaves the others. */
export async function openModels(
  repository: Repository,
  pool: Pool,
  defaultModel?: string,
): Promise<ModelSet> {
  const problems = new Map(repository.failed.map(({ key, problem }) => [key, problem]));
  for (const model of repository.stored) {
    const problem = await check(model, pool);
    if (problem) problems.set(model.key, problem);
  }
  const stored = new Map(repository.stored.map((model) => [model.key, model]));
  const status = describeModels(repository, stored, problems);

  function choose(name?: string, version?: number, variant?: VariantName): StoredModel {
    const chosen = findStatus(status, name ?? impliedName(status, defaultModel), version);
    const model = stored.get(`${chosen.name}/${chosen.version}`);
    if (!chosen.ready || !model)
      throw new ModelNotReadyError(
        `${chosen.name} version ${chosen.version} is not ready: ${chosen.problem}`,
      );
    return chooseVariant(model, variant);
  }

  return { status, choose };
}

function chooseVariant(model: StoredModel, variant: VariantName = model.variant): StoredModel {
  const chosen = withVariant(model, variant);
  if (chosen) return chosen;
  const variants = Object.keys(model.card.variants).join(', ');
  throw new ModelNotFoundError(
    `${model.name} version ${model.version} has no variant ${variant}; it has ${variants}`,
  );
}

async function check(model: StoredModel, pool: Pool): Promise<string | undefined> {
  try {
    const { input, output, labels } = model.card;
    const [result] = await pool.run(model.key, [{ tensor: createTensor(input, 1), budgetMs: Infinity }]);
    scoresToConfidences(resultToScores(result), output, labels.length);
    return await replayGolden(model, pool);
  } catch (error) {
    return `${model.file}: ${(error as Error).message}`;
  }
}

function describeModels(
  { stored, failed }: Repository,
  byKey: ReadonlyMap<string, StoredModel>,
  problems: ReadonlyMap<string, string>,
): ModelStatus[] {
  const highest = new Map<string, number>();
  const all = [...stored, ...failed].sort((a, b) => a.name.localeCompare(b.name) || a.version - b.version);
  for (const { name, version } of all) highest.set(name, version);
  return all.map(({ key, name, version }) => {
    const problem = problems.get(key);
    const model = byKey.get(key);
    return {
      name,
      version,
      served: highest.get(name) === version,
      ready: problem === undefined,
      ...(problem === undefined ? {} : { problem }),
      ...(model && { variant: model.variant, variantReason: model.variantReason, card: model.card }),
      ...(model?.figures && { figures: model.figures }),
    };
  });
}

function findStatus(status: readonly ModelStatus[], name: string, version?: number): ModelStatus {
  const versions = status.filter((model) => model.name === name);
  const found = versions.find((model) => (version === undefined ? model.served : model.version === version));
  if (found) return found;
  if (versions.length > 0)
    throw new ModelNotFoundError(
      `Model ${name} has no version ${version}; it has ${versions.map((model) => model.version).join(', ')}`,
    );
  throw new ModelNotFoundError(`There is no model ${name}; ${listNames(status)}`);
}

function impliedName(status: readonly ModelStatus[], defaultModel: string | undefined): string {
  if (defaultModel !== undefined) return defaultModel;
  const names = [...new Set(status.map((model) => model.name))];
  const [first = fallbackName] = names;
  if (names.length <= 1) return first;
  if (names.includes(fallbackName)) return fallbackName;
  throw new ModelNotFoundError(`The request names no model; ${listNames(status)}`);
}

function listNames(status: readonly ModelStatus[]): string {
  const names = [...new Set(status.map((model) => model.name))];
  return names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`;
}
