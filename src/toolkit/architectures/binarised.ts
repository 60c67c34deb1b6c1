// the name of a binarised architecture and its binarisation → the architecture.
import { RecipeError } from '../errors.js';
import type { Binarisation } from './binarisation.js';
import type { Architecture } from './layers.js';
import { lenet5Binary } from './lenet5.js';

/** A new binarised architecture needs a line here. */
const builders: Readonly<Record<string, (binarisation: Binarisation) => Architecture>> = {
  'lenet5-binary': lenet5Binary,
};

/** @throws RecipeError if no binarised architecture has this name. */
export function binarisedArchitecture(name: string, binarisation: Binarisation): Architecture {
  const build = builders[name];
  if (build) return build(binarisation);
  const known = Object.keys(builders).join(', ');
  throw new RecipeError(`No binarised architecture has the name ${name}; the known ones are ${known}`);
}
