// The name of a folder → the split that it means.

export type SplitName = 'train' | 'validation' | 'test';

const names: Readonly<Record<SplitName, readonly string[]>> = {
  train: ['train', 'training'],
  validation: ['val', 'valid', 'validation'],
  test: ['test', 'testing'],
};

/** @returns undefined if the name means no split. Upper and lower case are the same. */
export function splitOf(name: string): SplitName | undefined {
  const folded = name.trim().toLowerCase();
  return (['train', 'validation', 'test'] as const).find((split) => names[split].includes(folded));
}
