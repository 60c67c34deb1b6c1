// Recipe + single values by their names, as the flags of `quati train` are → the recipe with these values.
import { type Binarisation, lenet5Binary } from '../../architectures/lenet5.js';
import type { Augmentation } from '../../augmentation/augmentation.js';
import { RecipeError } from '../../errors.js';
import type { EarlyStopping } from '../run/early-stopping.js';
import { defaultLoss, type Loss } from '../step/losses.js';
import type { AdamWOptions, OptimiserSettings, SgdOptions } from '../step/optimisers.js';
import type { Recipe } from './recipe.js';
import type { Schedule } from './schedules.js';

type ScheduleOf<K extends Schedule['kind']> = Omit<Extract<Schedule, { readonly kind: K }>, 'kind'>;
type ScheduleValues = ScheduleOf<'step'> & ScheduleOf<'cosine'> & ScheduleOf<'one-cycle'>;
type OptimiserValues = SgdOptions & AdamWOptions;
type LossValues = Omit<Extract<Loss, { readonly kind: 'softmax' }>, 'kind'>;

const binarisationFields = ['signGradient', 'blockOrder', 'activations', 'firstLayer', 'lastLayer'] as const;
const directFields = ['epochs', 'batchSize', 'learningRate', 'validationSplit', 'seed', 'clipNorm'] as const;

export type RecipeOverrides = Partial<Pick<Recipe, (typeof directFields)[number]>> &
  Partial<Binarisation> &
  Omit<Augmentation, 'crop' | 'cutout'> &
  OptimiserValues &
  ScheduleValues &
  LossValues &
  Partial<EarlyStopping> & {
    /** Another kind than the recipe's starts from that kind's defaults. */
    readonly optimiser?: OptimiserSettings['kind'];
    readonly schedule?: Schedule['kind'];
    readonly cropPadding?: number;
    readonly cutoutSize?: number;
    /** false: all epochs, and the last one's weights. */
    readonly earlyStopping?: false;
    /** All epochs, unless there is patience, and the best one's weights. */
    readonly restoreBest?: true;
  };

type Fields<S extends { readonly kind: string }> = Record<S['kind'], readonly (keyof RecipeOverrides)[]>;

const optimiserFields: Fields<OptimiserSettings> = {
  sgd: ['momentum', 'nesterov', 'weightDecay'],
  adam: ['beta1', 'beta2', 'epsilon'],
  adamw: ['beta1', 'beta2', 'epsilon', 'weightDecay'],
};
const scheduleFields: Fields<Schedule> = {
  constant: [],
  step: ['milestones', 'every', 'factor'],
  cosine: ['warmupEpochs'],
  'one-cycle': ['rise', 'startDivisor', 'endDivisor'],
};
const lossFields: Fields<Loss> = { softmax: ['labelSmoothing'], sigmoid: [] };
const augmentationFields = ['rotation', 'zoom', 'shift', 'flip', 'fill'] as const;
const stoppingFields = ['monitor', 'patience', 'minDelta'] as const;

/** Every value by its name, so that a command knows which of its flags are a recipe's. */
export const overrideNames: readonly (keyof RecipeOverrides)[] = [
  ...directFields,
  ...binarisationFields,
  ...['optimiser' as const, ...new Set(Object.values(optimiserFields).flat())],
  ...['schedule' as const, ...Object.values(scheduleFields).flat()],
  ...lossFields.softmax,
  ...stoppingFields,
  ...(['earlyStopping', 'restoreBest'] as const),
  ...augmentationFields,
  ...(['cropPadding', 'cutoutSize'] as const),
];

/** @throws RecipeError naming a value that the chosen optimiser, schedule or loss does not have. */
export function overrideRecipe(recipe: Recipe, overrides: RecipeOverrides): Recipe {
  const { optimiser, loss = defaultLoss, earlyStopping, ...rest } = recipe;
  return {
    ...rest,
    ...picked(overrides, directFields),
    ...overrideBinarisation(recipe, overrides),
    optimiser: overrideKind('optimiser', optimiser, overrides.optimiser, overrides, optimiserFields),
    schedule: overrideKind(
      'schedule',
      scheduleToChange(recipe.schedule, overrides),
      overrides.schedule,
      overrides,
      scheduleFields,
    ),
    loss: overrideKind('loss', loss, undefined, overrides, lossFields),
    ...overrideEarlyStopping(earlyStopping, overrides),
    ...overrideAugmentation(recipe.augmentation, overrides),
  };
}

function overrideBinarisation(
  { name, binarisation }: Recipe,
  overrides: RecipeOverrides,
): Partial<Pick<Recipe, 'architecture' | 'binarisation'>> {
  const values = picked(overrides, binarisationFields);
  const [given] = Object.keys(values);
  if (given === undefined) return {};
  if (!binarisation) throw new RecipeError(`${given}: nothing in ${name} is binarised`);
  const changed = { ...binarisation, ...values };
  return { binarisation: changed, architecture: lenet5Binary(changed) };
}

function overrideKind<S extends { readonly kind: string }>(
  what: string,
  current: S,
  chosen: S['kind'] | undefined,
  overrides: RecipeOverrides,
  fields: Fields<S>,
): S {
  const kind: S['kind'] = chosen ?? current.kind;
  const own = fields[kind];
  const all: Fields<S>[S['kind']][] = Object.values(fields);
  const [foreign] = all.flat().filter((name) => overrides[name] !== undefined && !own.includes(name));
  if (foreign !== undefined) {
    const has = own.length > 0 ? own.join(', ') : 'nothing to set';
    throw new RecipeError(`${foreign}: the ${what} ${kind} has none; it has ${has}`);
  }
  return { ...(kind === current.kind ? current : { kind }), ...picked(overrides, own) } as S;
}

/** Milestones take the place of every so many epochs, and the other way round. */
function scheduleToChange(schedule: Schedule, { milestones, every }: RecipeOverrides): Schedule {
  if (schedule.kind !== 'step' || (milestones === undefined && every === undefined)) return schedule;
  const { milestones: _, every: __, ...rest } = schedule;
  return rest;
}

function overrideEarlyStopping(
  current: EarlyStopping | undefined,
  overrides: RecipeOverrides,
): Pick<Recipe, 'earlyStopping'> {
  const values = picked(overrides, stoppingFields);
  const named = Object.keys(values);
  if (overrides.earlyStopping === false) {
    const [extra] = [...named, ...(overrides.restoreBest ? ['restoreBest'] : [])];
    if (extra !== undefined) throw new RecipeError(`${extra}: contradicts no early stopping`);
    return {};
  }
  return (current ?? overrides.restoreBest ?? named.length > 0)
    ? { earlyStopping: { monitor: 'valLoss', ...current, ...values } }
    : {};
}

function overrideAugmentation(
  current: Augmentation | undefined,
  overrides: RecipeOverrides,
): Pick<Recipe, 'augmentation'> {
  const { cropPadding, cutoutSize } = overrides;
  const values: Augmentation = {
    ...picked(overrides, augmentationFields),
    ...(cropPadding !== undefined && { crop: { padding: cropPadding } }),
    ...(cutoutSize !== undefined && { cutout: { size: cutoutSize } }),
  };
  return Object.keys(values).length > 0 ? { augmentation: { ...current, ...values } } : {};
}

function picked<K extends keyof RecipeOverrides>(
  overrides: RecipeOverrides,
  names: readonly K[],
): Partial<Pick<RecipeOverrides, K>> {
  const given = names.filter((name) => overrides[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, overrides[name]])) as Partial<
    Pick<RecipeOverrides, K>
  >;
}
