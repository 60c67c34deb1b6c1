// The path of a photo in one of the published layouts → cat or dog, and its split.
import path from 'node:path';
import { splitOf } from './split-names.js';

export const splits = ['train', 'val', 'test'] as const;
export type SplitName = (typeof splits)[number];

export interface Labelled {
  readonly file: string;
  readonly category: 'cat' | 'dog';
  /** The breed, if the name has one; else the category. Each split gets a part of each group. */
  readonly group: string;
  readonly split?: SplitName;
}

/** cat.123.jpg, all in one folder: Kaggle's layout. */
const numbered = /^(cat|dog)\.\d+\.\w+$/i;
/** Abyssinian_12.jpg is a cat, american_bulldog_12.jpg a dog: Oxford-IIIT Pet writes cats with a capital. */
const breed = /^([A-Z][A-Za-z_]*|[a-z][a-z_]*)_\d+\.\w+$/;
/** PetImages/Cat/123.jpg: Microsoft's layout. */
const folder = /^(cat|dog)s?$/i;

/** Reads the label from a path. A folder's name counts more than a breed's capital. @returns undefined if it has no label. */
export function labelOf(file: string): Labelled | undefined {
  const parts = file.split(path.sep);
  const name = parts.pop() ?? '';
  const named = numbered.exec(name)?.[1] ?? parts.map((part) => folder.exec(part)?.[1]).findLast(Boolean);
  const bred = breed.exec(name)?.[1];
  const category = named?.toLowerCase() ?? (bred && (/^[A-Z]/.test(bred) ? 'cat' : 'dog'));
  if (category !== 'cat' && category !== 'dog') return undefined;
  const found = parts.map(splitOf).find((known) => known !== undefined);
  const split = found === 'validation' ? 'val' : found;
  return { file, category, group: bred ?? category, ...(split && { split }) };
}
