// A folder of models → the ready models and the model for a request, updated each time the folder changes.
import { scoresToConfidences } from '../category.js';
import { ModelNotReadyError } from '../errors.js';
import { createTensor } from '../image/tensor.js';
import { modelProblems } from '../model-problems.js';
import { type Generation, openGeneration, type StartPool } from '../workers/generation.js';
import type { RunnerModel } from '../workers/runner.js';
import { resultToScores } from '../workers/wire.js';
import { VariantName } from './card.js';
import { chooseVersion, type Defaults, impliedName, variantOf } from './choosing.js';
import { replayGolden } from './golden.js';
import { type FailedModel, type Repository, type StoredModel, withVariant } from './repository.js';
import { compareStatus, describeModels, type ModelChanges, type ModelStatus } from './status.js';

/** A ready model, and the workers that run it. */
export interface LiveModel extends StoredModel {
  generation: Generation;
}

export interface ModelSet {
  /** Sorted by name, then version. */
  readonly status: readonly ModelStatus[];
  /** Messages about folders that look like versions and are none. */
  readonly passedOver: readonly string[];
  /** The model for a request that names none; undefined if a request must name one. */
  readonly implied: string | undefined;
  /** @throws ModelNotFoundError, ModelNotReadyError */
  choose(name?: string, version?: number, variant?: VariantName): LiveModel;
  /**
   * Reads the folder again. Loads and checks new or changed versions next to the served ones, then switches to all of them at once.
   * A version that fails is refused, and the version that it would replace continues to serve. A replaced or removed version stops
   * when its accepted images are done.
   * @throws when the folder cannot be read; then nothing changes.
   */
  reload(): Promise<ModelChanges>;
  /** Stops all workers. */
  close(): Promise<void>;
}

/** The source of the models, and the defaults for requests that name none. */
export interface ModelSource extends Defaults {
  /** @param before the previous result, and the state that it led to. */
  read: (before: Repository) => Promise<Repository>;
  startPool: StartPool;
}

/** The loaded models: those of `repository.stored` in `generation`, and those of damaged folders in their earlier generations. */
interface State {
  repository: Repository;
  generation: Generation | undefined;
  live: ReadonlyMap<string, LiveModel>;
  status: readonly ModelStatus[];
}

/** Runs every stored model once and replays its golden images. A failure affects only its own model. */
export async function openModels({ read, startPool, ...defaults }: ModelSource): Promise<ModelSet> {
  let state: State = {
    repository: { stored: [], failed: [] },
    generation: undefined,
    live: new Map(),
    status: [],
  };
  let passedOver: readonly string[] = [];
  let reloading: Promise<unknown> = Promise.resolve();
  let retiring: Promise<unknown> = Promise.resolve();

  async function replaceState(): Promise<ModelChanges> {
    // At most three generations exist: the previous, the current and the next.
    await retiring;
    const before = state;
    const found = await read(before.repository);
    const { generation, repository } = await openAll(found, before, startPool);
    passedOver = found.passedOver ?? [];
    const live = findLive(repository, generation, before);
    state = { repository, generation, live, status: describeModels(repository, live) };
    const needed = generationsOf(state);
    retiring = Promise.all(
      [...generationsOf(before)].map((generation) => needed.has(generation) || generation.retire()),
    );
    return compareStatus(before.status, state.status);
  }

  function reload(): Promise<ModelChanges> {
    const changes = reloading.then(replaceState);
    reloading = changes.catch(() => {});
    return changes;
  }

  await reload();
  return {
    get status() {
      return state.status;
    },
    get passedOver() {
      return passedOver;
    },
    get implied() {
      return impliedName(state.status, defaults);
    },
    choose(name, version, variant) {
      const chosen = chooseVersion(state.status, defaults, { name, version });
      const model = state.live.get(`${chosen.name}/${chosen.version}`);
      if (model) return variantOf(model, variant);
      const subject = `${chosen.name} version ${chosen.version} is not ready`;
      const outside = `${subject}: ${chosen.code}, ${chosen.code && modelProblems[chosen.code]}`;
      throw new ModelNotReadyError(`${subject}: ${chosen.problem}`, outside);
    },
    reload,
    async close() {
      await reloading;
      await Promise.all([retiring, ...[...generationsOf(state)].map((generation) => generation.retire())]);
    },
  };
}

/** Loads the models together. If some fail, loads the others without them. */
async function openAll(
  { stored, failed }: Repository,
  before: State,
  startPool: StartPool,
): Promise<Pick<State, 'generation' | 'repository'>> {
  const repository = { stored, failed };
  if (areSame(stored, before.repository.stored)) return { generation: before.generation, repository };
  if (stored.length === 0) return { generation: undefined, repository };
  const generation = await openGeneration(runnerModels(stored), startPool);
  const problems = await Promise.all(stored.map((model) => check(model, generation)));
  if (problems.every((problem) => problem === undefined)) return { generation, repository };
  await generation.retire();
  const good = stored.filter((_, i) => problems[i] === undefined);
  const bad = stored.flatMap((model, i): FailedModel[] => {
    const failure = problems[i];
    return failure === undefined ? [] : [{ ...model, ...failure, model }];
  });
  return await openAll({ stored: good, failed: [...failed, ...bad] }, before, startPool);
}

/** Lists every variant of every version. Only the served variant of the highest version of each name is loaded at the start. */
function runnerModels(stored: readonly StoredModel[]): RunnerModel[] {
  const highest = new Map<string, StoredModel>();
  for (const model of stored)
    if (model.version >= (highest.get(model.name)?.version ?? 0)) highest.set(model.name, model);
  const served = new Set(highest.values());
  return stored.flatMap((version) =>
    VariantName.enum.flatMap((variant) => {
      const model = withVariant(version, variant);
      return model
        ? [{ key: model.key, file: model.file, input: model.card.input, onDemand: !served.has(model) }]
        : [];
    }),
  );
}

function areSame(models: readonly StoredModel[], others: readonly StoredModel[]): boolean {
  return models.length === others.length && models.every((model, i) => model === others[i]);
}

async function check(
  model: StoredModel,
  generation: Generation,
): Promise<Pick<FailedModel, 'problem' | 'code'> | undefined> {
  try {
    const { input, output, labels } = model.card;
    const result = await generation.run(model.key, { tensor: createTensor(input, 1), deadline: Infinity });
    scoresToConfidences(resultToScores(result), output, labels.length);
    return await replayGolden(model, generation);
  } catch (error) {
    return { code: 'model_failed', problem: `${model.file}: ${(error as Error).message}` };
  }
}

function findLive(
  { stored, failed }: Repository,
  generation: Generation | undefined,
  before: State,
): State['live'] {
  const live = new Map<string, LiveModel>();
  if (generation) for (const model of stored) live.set(model.key, { ...model, generation });
  for (const { key } of failed) {
    const model = before.live.get(key);
    if (model) live.set(key, model);
  }
  return live;
}

function generationsOf({ generation, live }: State): Set<Generation> {
  const generations = new Set([...live.values()].map((model) => model.generation));
  return generation ? generations.add(generation) : generations;
}
