// The models in the folder and the ready models → the status of every version, and the changes of a reload.

import type { ModelProblem } from '../model-problems.js';
import type { VariantFigures } from './auto-variant.js';
import type { Card, VariantName } from './card.js';
import type { Repository, StoredModel } from './repository.js';

/** The status of one version. */
export interface ModelStatus {
  name: string;
  version: number;
  /** Whether a request without a version gets this one: the highest ready version, else the highest. */
  served: boolean;
  ready: boolean;
  /** The reason why it is not ready. */
  problem?: string;
  /** The reason why the current content of its folder is not served. The previous content is. */
  refused?: string;
  /** The reason of `problem` or `refused` for clients. */
  code?: ModelProblem;
  /** The served variant and the reason for it. Absent, like the card, if the card cannot be read. */
  variant?: VariantName;
  variantReason?: string;
  /** The end of `variantReason` that is not for clients. */
  variantTrouble?: string;
  /** The figures of each variant, if variants were compared. */
  figures?: VariantFigures[];
  card?: Card;
}

/** The changes of a reload: versions that were added, changed, refused or removed. */
export interface ModelChanges {
  changed: readonly ModelStatus[];
  removed: readonly ModelStatus[];
}

/** Lists the status of all versions, by name and version. @param live the ready models, by key. */
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
