// a folder of models → which of them answer and which one a request means, and again each time that the folder has changed.

import { scoresToConfidences } from '../category.js';
import { ModelNotReadyError } from '../errors.js';
import { createTensor } from '../image/tensor.js';
import { type Home, openHome, type StartPool } from '../workers/generation.js';
import { resultToScores } from '../workers/wire.js';
import type { VariantFigures } from './auto-variant.js';
import type { Card, VariantName } from './card.js';
import { chooseVariantOf, chooseVersion, impliedName } from './choosing.js';
import { replayGolden } from './golden.js';
import type { FailedModel, Repository, StoredModel } from './repository.js';

/** What is known of one version. */
export interface ModelStatus {
  name: string;
  version: number;
  /** Whether a request that names no version gets this one: the highest that is ready, else the highest. */
  served: boolean;
  ready: boolean;
  /** Why it isn't ready. */
  problem?: string;
  /** Why what its folder holds now isn't served: what it held before is. */
  refused?: string;
  /** The variant that serves, and why it does. Missing with the card where that can't be read. */
  variant?: VariantName;
  variantReason?: string;
  /** Where variants were compared: what was known of each. */
  figures?: VariantFigures[];
  card?: Card;
}

/** What a reload did: versions that came, changed or were refused, and those that went. */
export interface ModelChanges {
  changed: readonly ModelStatus[];
  removed: readonly ModelStatus[];
}

/** A model that answers, and where it does. */
export interface LiveModel extends StoredModel {
  home: Home;
}

export interface ModelSet {
  /** By name, then version. */
  readonly status: readonly ModelStatus[];
  /** The name that a request implies which names none; undefined where it has to name one. */
  readonly implied: string | undefined;
  /** @throws ModelNotFoundError, ModelNotReadyError */
  choose(name?: string, version?: number, variant?: VariantName): LiveModel;
  /**
   * Looks at the folder again. What came or changed is opened and checked beside what serves, then takes over at once; what fails is
   * refused, and what it would have replaced serves on. What was replaced or went ends once it has answered what it had taken.
   * @throws when the folder can't be read: all is as before.
   */
  reload(): Promise<ModelChanges>;
  /** Ends all workers. */
  close(): Promise<void>;
}

export interface ModelSource {
  /** @param before what it gave before, and what came of that. */
  read: (before: Repository) => Promise<Repository>;
  startPool: StartPool;
  /** The model of a request that names none. */
  defaultModel?: string | undefined;
}

/** What is open: the models of `repository.stored` in `home`, and those whose folder went bad in the homes they had. */
interface State {
  repository: Repository;
  home: Home | undefined;
  live: ReadonlyMap<string, LiveModel>;
  status: readonly ModelStatus[];
}

/** Runs every stored model once and replays its golden images; one that fails leaves the others. */
export async function openModels({ read, startPool, defaultModel }: ModelSource): Promise<ModelSet> {
  let state: State = { repository: { stored: [], failed: [] }, home: undefined, live: new Map(), status: [] };
  let reloading: Promise<unknown> = Promise.resolve();
  let retiring: Promise<unknown> = Promise.resolve();

  async function replaceState(): Promise<ModelChanges> {
    // Never more than what serves, what served before, and what is to.
    await retiring;
    const before = state;
    const { home, repository } = await openAll(await read(before.repository), before, startPool);
    const live = findLive(repository, home, before);
    state = { repository, home, live, status: describeModels(repository, live) };
    const needed = homesOf(state);
    retiring = Promise.all([...homesOf(before)].map((home) => needed.has(home) || home.retire()));
    return compare(before.status, state.status);
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
    get implied() {
      return impliedName(state.status, defaultModel);
    },
    choose(name, version, variant) {
      const chosen = chooseVersion(state.status, defaultModel, { name, version });
      const model = state.live.get(`${chosen.name}/${chosen.version}`);
      if (model) return chooseVariantOf(model, variant);
      throw new ModelNotReadyError(
        `${chosen.name} version ${chosen.version} is not ready: ${chosen.problem}`,
      );
    },
    reload,
    async close() {
      await reloading;
      await Promise.all([retiring, ...[...homesOf(state)].map((home) => home.retire())]);
    },
  };
}

/** Opens the models together; where some of them fail, the others without them. */
async function openAll(
  { stored, failed }: Repository,
  before: State,
  startPool: StartPool,
): Promise<Pick<State, 'home' | 'repository'>> {
  const repository = { stored, failed };
  if (areSame(stored, before.repository.stored)) return { home: before.home, repository };
  if (stored.length === 0) return { home: undefined, repository };
  const home = await openHome(stored, startPool);
  const problems = await Promise.all(stored.map((model) => check(model, home)));
  if (problems.every((problem) => problem === undefined)) return { home, repository };
  await home.retire();
  const good = stored.filter((_, i) => problems[i] === undefined);
  const bad = stored.flatMap((model, i): FailedModel[] => {
    const problem = problems[i];
    return problem === undefined ? [] : [{ ...model, problem, model }];
  });
  return await openAll({ stored: good, failed: [...failed, ...bad] }, before, startPool);
}

function areSame(models: readonly StoredModel[], others: readonly StoredModel[]): boolean {
  return models.length === others.length && models.every((model, i) => model === others[i]);
}

async function check(model: StoredModel, home: Home): Promise<string | undefined> {
  try {
    const { input, output, labels } = model.card;
    const [result] = await home.run(model.key, [{ tensor: createTensor(input, 1), budgetMs: Infinity }]);
    scoresToConfidences(resultToScores(result), output, labels.length);
    return await replayGolden(model, home);
  } catch (error) {
    return `${model.file}: ${(error as Error).message}`;
  }
}

function findLive({ stored, failed }: Repository, home: Home | undefined, before: State): State['live'] {
  const live = new Map<string, LiveModel>();
  if (home) for (const model of stored) live.set(model.key, { ...model, home });
  for (const { key } of failed) {
    const model = before.live.get(key);
    if (model) live.set(key, model);
  }
  return live;
}

function homesOf({ home, live }: State): Set<Home> {
  const homes = new Set([...live.values()].map((model) => model.home));
  return home ? homes.add(home) : homes;
}

function describeModels({ stored, failed }: Repository, live: State['live']): ModelStatus[] {
  const failures = new Map(failed.map((model) => [model.key, model]));
  const all = [...stored, ...failed].sort((a, b) => a.name.localeCompare(b.name) || a.version - b.version);
  const served = new Map<string, string>();
  for (const isReady of [false, true])
    for (const { key, name } of all) if (live.has(key) === isReady) served.set(name, key);
  return all.map(({ key, name, version }) => {
    const ready = live.has(key);
    const { problem, model: broken } = failures.get(key) ?? {};
    const model = live.get(key) ?? broken;
    return {
      name,
      version,
      served: served.get(name) === key,
      ready,
      ...(problem !== undefined && { [ready ? 'refused' : 'problem']: problem }),
      ...(model && { variant: model.variant, variantReason: model.variantReason, card: model.card }),
      ...(model?.figures && { figures: model.figures }),
    };
  });
}

function compare(before: readonly ModelStatus[], after: readonly ModelStatus[]): ModelChanges {
  const find = (list: readonly ModelStatus[], { name, version }: ModelStatus) =>
    list.find((model) => model.name === name && model.version === version);
  return {
    changed: after.filter((model) => {
      const old = find(before, model);
      return old?.card !== model.card || old?.problem !== model.problem || old?.refused !== model.refused;
    }),
    removed: before.filter((model) => !find(after, model)),
  };
}
