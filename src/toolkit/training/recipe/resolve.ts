// a recipe and values by name, as from the flags of `quati train` → the recipe with these values, checked.
import { Binarisation } from '../../architectures/binarisation.js';
import { binarisedArchitecture } from '../../architectures/binarised.js';
import { plainAugmentation } from '../../augmentation/schema.js';
import { RecipeError } from '../../errors.js';
import { checkRecipe } from './check.js';
import { optionsByKind, type Part } from './kinds.js';
import { flagOf, type OverrideName, type RecipeOverrides } from './overrides.js';
import { type Recipe, stepValues, trainingValues } from './recipe.js';
import { defaultLoss, EarlyStopping, Loss, OptimiserSettings, Schedule } from './settings.js';

/** @throws RecipeError naming a value that is outside its range, or that the recipe does not have. */
export function resolveRecipe(recipe: Recipe, overrides: RecipeOverrides): Recipe {
  const resolved = overrideRecipe(recipe, overrides);
  checkRecipe(resolved);
  return resolved;
}

function overrideRecipe(recipe: Recipe, overrides: RecipeOverrides): Recipe {
  const { optimiser, loss = defaultLoss, earlyStopping, ...rest } = recipe;
  const schedule = scheduleToChange(recipe.schedule, overrides);
  return {
    ...rest,
    ...given(overrides, { ...trainingValues, ...stepValues }),
    ...overrideBinarisation(recipe, overrides),
    optimiser: overrideKind(['Optimiser', OptimiserSettings], optimiser, overrides, overrides.optimiser),
    schedule: overrideKind(['Schedule', Schedule], schedule, overrides, overrides.schedule),
    loss: overrideKind(['Loss', Loss], loss, overrides),
    ...overrideEarlyStopping(earlyStopping, overrides),
    ...overrideAugmentation(recipe, overrides),
  };
}

function overrideBinarisation(
  { name, architecture, binarisation }: Recipe,
  overrides: RecipeOverrides,
): Partial<Pick<Recipe, 'architecture' | 'binarisation'>> {
  const values = given(overrides, Binarisation.properties);
  const [first] = Object.keys(values);
  if (first === undefined) return {};
  if (!binarisation)
    throw new RecipeError(
      `Recipe ${name} has no binarised layers; ${first} is only for recipes with binarised layers`,
    );
  const changed = { ...binarisation, ...values };
  return { binarisation: changed, architecture: binarisedArchitecture(architecture.name, changed) };
}

/** @param chosen if it differs from the current kind, its options start from their defaults. */
function overrideKind<S extends { readonly kind: string }>(
  [title, part]: readonly [string, Part],
  current: S,
  overrides: RecipeOverrides,
  chosen: S['kind'] = current.kind,
): S {
  const kinds = optionsByKind(part);
  const own = kinds.get(chosen) ?? {};
  const all = [...kinds.values()].flatMap((options) => Object.keys(options) as OverrideName[]);
  const foreign = all.find((name) => overrides[name] !== undefined && !(name in own));
  if (foreign !== undefined) {
    const names = Object.keys(own);
    const has = names.length > 0 ? `its options are ${names.join(', ')}` : 'it has no options';
    throw new RecipeError(`${title} ${chosen} has no option ${foreign}; ${has}`);
  }
  return { ...(chosen === current.kind ? current : { kind: chosen }), ...given(overrides, own) } as S;
}

/** Milestones replace `every`, and `every` replaces milestones. */
function scheduleToChange(schedule: Schedule, { milestones, every }: RecipeOverrides): Schedule {
  if (schedule.kind !== 'step' || (milestones === undefined && every === undefined)) return schedule;
  const { milestones: _, every: __, ...rest } = schedule;
  return rest;
}

function overrideEarlyStopping(
  current: EarlyStopping | undefined,
  overrides: RecipeOverrides,
): Pick<Recipe, 'earlyStopping'> {
  const { earlyStopping, restoreBest } = overrides;
  const values = given(overrides, EarlyStopping.properties);
  const named = Object.keys({ ...values, ...(restoreBest && { restoreBest }) }) as OverrideName[];
  const [first] = named;
  if (earlyStopping === false) {
    if (first === undefined) return {};
    throw new RecipeError(`${flagOf(first)} cannot be combined with ${flagOf('earlyStopping')}`);
  }
  return (current ?? first) === undefined
    ? {}
    : { earlyStopping: { monitor: EarlyStopping.properties.monitor.default, ...current, ...values } };
}

function overrideAugmentation(
  { augmentation }: Recipe,
  overrides: RecipeOverrides,
): Pick<Recipe, 'augmentation'> {
  const { cropPadding, cutoutSize } = overrides;
  const values = {
    ...given(overrides, plainAugmentation),
    ...(cropPadding !== undefined && { crop: { padding: cropPadding } }),
    ...(cutoutSize !== undefined && { cutout: { size: cutoutSize } }),
  };
  return Object.keys(values).length > 0 ? { augmentation: { ...augmentation, ...values } } : {};
}

/** The overrides that have one of these names and a value. */
function given<P extends object>(
  overrides: RecipeOverrides,
  values: P,
): Partial<Pick<RecipeOverrides, keyof P & OverrideName>> {
  const names = (Object.keys(values) as OverrideName[]).filter((name) => overrides[name] !== undefined);
  const entries = names.map((name) => [name, overrides[name]]);
  return Object.fromEntries(entries) as Partial<Pick<RecipeOverrides, keyof P & OverrideName>>;
}
