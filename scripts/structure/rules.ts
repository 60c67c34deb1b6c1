// The floors, and the allowed packages per folder → the rules of dependency-cruiser.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { IForbiddenRuleType } from 'dependency-cruiser';
import { apart, floors } from './floors.js';

/** The comment states the problem of an import that the rule forbids. */
export type Rule = IForbiddenRuleType & { name: string; comment: string };

/** @returns entries of floors.ts that do not exist, and existing entries that it does not list, as sentences. */
export function findUnlisted(): string[] {
  return foldersWithFolders('src').flatMap((folder) => {
    const listed = floors[folder];
    if (!listed) return [`${folder} holds folders, and has no list of floors`];
    const present = readdirSync(folder);
    return [
      ...present.filter((entry) => !listed.includes(entry)).map((entry) => `${folder}/${entry} has no floor`),
      ...listed
        .filter((entry) => !present.includes(entry))
        .map((entry) => `${folder}/${entry} does not exist`),
    ];
  });
}

function foldersWithFolders(folder: string): string[] {
  const below = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => path.join(folder, name));
  return below.length === 0 ? [] : [folder, ...below.flatMap(foldersWithFolders)];
}

/** Rules for a cruise that also follows imports of types. */
export const importRules: Rule[] = [
  {
    name: 'no-circle',
    comment: 'they import each other',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  ...Object.entries(floors).flatMap(([folder, entries]) =>
    entries.slice(0, -1).map(
      (entry, i): Rule => ({
        name: `floor: ${folder}/${entry}`,
        comment: 'the imported file is on a higher floor (scripts/structure/floors.ts)',
        severity: 'error',
        from: { path: below(folder, [entry]) },
        to: { path: below(folder, entries.slice(i + 1)) },
      }),
    ),
  ),
  ...apart.flatMap(([one, other]) => [separation(one, other), separation(other, one)]),
  {
    name: 'product-alone',
    comment: 'the product imports nothing from test, scripts and bench',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^(test|scripts|bench)/' },
  },
  {
    name: 'one-runtime',
    comment: 'only workers/runtime.ts loads onnxruntime-node, so that its telemetry is off',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/inference/workers/runtime\\.ts$' },
    to: {
      path: packagePath('onnxruntime-node'),
      pathNot: 'package\\.json$',
      dependencyTypesNot: ['type-only'],
    },
  },
  {
    name: 'runtime-types',
    comment: 'the types of onnxruntime-node are named only in inference and training',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/(inference|toolkit/training)/' },
    to: { path: packagePath('onnxruntime-node') },
  },
  {
    name: 'one-decoder',
    comment: 'sharp is loaded, and its loaders are shut, in one place',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/inference/image/(decode|sharp)\\.ts$' },
    to: { path: packagePath('sharp') },
  },
];

/** Rules for a cruise from a worker thread's module that follows only modules loaded with it. */
export const workerRules: Rule[] = [
  {
    name: 'light-worker',
    comment: 'a package costs every worker a tenth of a second and megabytes: sharp 10, typebox 25',
    severity: 'error',
    from: { path: '^src/inference/workers/worker\\.ts$' },
    to: { path: 'node_modules|^dist/', reachable: true },
  },
];

function separation(from: string, to: string): Rule {
  return {
    name: `apart: ${from}`,
    comment: `${from} and ${to} meet only in src/inference`,
    severity: 'error',
    from: { path: `^${from}/` },
    to: { path: `^${to}/` },
  };
}

function below(folder: string, entries: readonly string[]): string {
  return `^${folder}/(${entries.map((entry) => entry.replaceAll('.', '\\.')).join('|')})(/|$)`;
}

function packagePath(name: string): string {
  return `(^|/)node_modules/${name}/`;
}
