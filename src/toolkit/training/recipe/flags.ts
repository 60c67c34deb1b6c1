// The values that flags can set, in the groups that the help of `quati train` and the table in the docs show.
import { Binarisation } from '../../architectures/binarisation.js';
import type { ValueSchema, Values } from '../../value-schema.js';
import { optionsByKind, type Part } from './kinds.js';
import { type OverrideName, overridable } from './overrides.js';
import { stepValues, trainingValues } from './recipe.js';
import { EarlyStopping, Loss, OptimiserSettings, Schedule } from './settings.js';

/** The meaning of a value for some kinds of its part. `kinds` is empty if the meaning does not depend on the kind. */
export interface FlagUse {
  readonly kinds: readonly string[];
  readonly schema: ValueSchema;
}

export interface RecipeFlag {
  readonly name: OverrideName;
  readonly uses: readonly [FlagUse, ...FlagUse[]];
}

export interface FlagGroup {
  readonly title: string;
  readonly flags: readonly RecipeFlag[];
  /** The part of the recipe whose options these flags set. */
  readonly part?: Part;
}

const { optimiser, schedule, restoreBest, earlyStopping } = overridable;
const { rotation, zoom, shift, flip, cropPadding, cutoutSize, fill } = overridable;

export const flagGroups = {
  training: { title: 'Training', flags: [...flagsOf(trainingValues), ...optionFlags(Loss)], part: Loss },
  optimiser: {
    title: 'Optimiser',
    flags: [...flagsOf({ optimiser, ...stepValues }), ...optionFlags(OptimiserSettings)],
    part: OptimiserSettings,
  },
  schedule: {
    title: 'Schedule of the learning rate',
    flags: [...flagsOf({ schedule }), ...optionFlags(Schedule)],
    part: Schedule,
  },
  earlyStopping: {
    title: 'Early stopping',
    flags: flagsOf({ ...EarlyStopping.properties, restoreBest, earlyStopping }),
  },
  binarisation: { title: 'Binarisation', flags: flagsOf(Binarisation.properties) },
  augmentation: {
    title: 'Augmentation',
    flags: flagsOf({ rotation, zoom, shift, flip, cropPadding, cutoutSize, fill }),
  },
} as const satisfies Readonly<Record<string, FlagGroup>>;

function flagsOf(values: Values): RecipeFlag[] {
  return Object.entries(values).map(([name, schema]) => ({
    name: name as OverrideName,
    uses: [{ kinds: [], schema }],
  }));
}

/** One flag per name. Kinds whose value has the same description share a use. */
function optionFlags(part: Part): RecipeFlag[] {
  const flags = new Map<string, RecipeFlag>();
  for (const [kind, options] of optionsByKind(part))
    for (const [name, schema] of Object.entries(options)) {
      const use = { kinds: [kind], schema };
      const known = flags.get(name);
      flags.set(name, { name: name as OverrideName, uses: known ? withUse(known.uses, use) : [use] });
    }
  return [...flags.values()];
}

function withUse([first, ...rest]: RecipeFlag['uses'], use: FlagUse): RecipeFlag['uses'] {
  if (first.schema.description === use.schema.description)
    return [{ ...first, kinds: [...first.kinds, ...use.kinds] }, ...rest];
  const [second, ...others] = rest;
  return [first, ...(second ? withUse([second, ...others], use) : [use])];
}
