// A folder of one model or of one version → the model's name and versions. KServe's storage initialiser writes such folders.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isExhausted } from '../errors.js';
import { loadCard } from './card.js';

/** A number that JavaScript cannot hold exactly is none: it would be rounded to another one. */
export function isVersion(folder: string): boolean {
  return /^[1-9]\d*$/.test(folder) && Number.isSafeInteger(Number(folder));
}

export interface SingleModel {
  name: string;
  versions: { version: number; folder: string }[];
}

/**
 * Reads `folder/card.json` as version 1 of a model, and `folder/<version>/card.json` as a model's versions. The name comes from the
 * card of the highest version that has one. Returns undefined if the folder has neither form: then it holds models by name.
 */
export async function findSingleModel(folder: string): Promise<SingleModel | undefined> {
  const entries = await readdir(folder).catch((error: unknown): string[] => {
    if (isExhausted(error)) throw error;
    return [];
  });
  if (entries.includes('card.json')) return await named([{ version: 1, folder }]);
  const numbers = entries.filter(isVersion).map(Number);
  const places = numbers
    .sort((a, b) => a - b)
    .map((version) => ({ version, folder: join(folder, String(version)) }));
  return await named(places);
}

async function named(versions: SingleModel['versions']): Promise<SingleModel | undefined> {
  for (const { folder } of versions.toReversed()) {
    const card = await loadCard(join(folder, 'card.json')).catch((error: unknown) => {
      if (isExhausted(error)) throw error;
      return undefined;
    });
    if (card) return { name: card.name, versions };
  }
  return undefined;
}
