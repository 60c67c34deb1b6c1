// models as they were read, and those that answer → the status of every version, and what a reload changed in it.

import type { ModelProblem } from '../model-problems.js';
import type { VariantFigures } from './auto-variant.js';
import type { Card, VariantName } from './card.js';
import type { Repository, StoredModel } from './repository.js';

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
  /** The reason of `problem` or `refused` for clients. */
  code?: ModelProblem;
  /** The variant that serves, and why it does. Missing with the card where that can't be read. */
  variant?: VariantName;
  variantReason?: string;
  /** The end of `variantReason` that is not for clients. */
  variantTrouble?: string;
  /** Where variants were compared: what was known of each. */
  figures?: VariantFigures[];
  card?: Card;
}

/** What a reload did: versions that came, changed or were refused, and those that went. */
export interface ModelChanges {
  changed: readonly ModelStatus[];
  removed: readonly ModelStatus[];
}

/** By name, then version. @param live the models that answer, by key. */
export function describeModels(
  { stored, failed }: Repository,
  live: ReadonlyMap<string, StoredModel>,
): ModelStatus[] {
  const failures = new Map(failed.map((model) => [model.key, model]));
  const all = [...stored, ...failed].sort((a, b) => a.name.localeCompare(b.name) || a.version - b.version);
  const served = new Map<string, string>();
  for (const isReady of [false, true])
    for (const { key, name } of all) if (live.has(key) === isReady) served.set(name, key);
  return all.map(({ key, name, version }) => {
    const ready = live.has(key);
    const { problem, code, model: broken } = failures.get(key) ?? {};
    const model = live.get(key) ?? broken;
    return {
      name,
      version,
      served: served.get(name) === key,
      ready,
      ...(problem !== undefined && { [ready ? 'refused' : 'problem']: problem }),
      ...(code !== undefined && { code }),
      ...(model && { variant: model.variant, variantReason: model.variantReason, card: model.card }),
      ...(model?.variantTrouble !== undefined && { variantTrouble: model.variantTrouble }),
      ...(model?.figures && { figures: model.figures }),
    };
  });
}

export function compareStatus(before: readonly ModelStatus[], after: readonly ModelStatus[]): ModelChanges {
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
