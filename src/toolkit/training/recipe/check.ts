// A recipe → nothing, or an error that names the value outside its range.
import { IsObject, IsUnion, type TSchema } from '#typebox';
import { Value } from '#typebox/value';
import { RecipeError } from '../../errors.js';
import { alternatives, isValueSchema } from '../../value-schema.js';
import { kindsOf, type Part } from './kinds.js';
import { Recipe } from './recipe.js';
import type { OptimiserSettings, Schedule } from './settings.js';

/** @throws RecipeError with the name of the value, the allowed values, and the given one. */
export function checkRecipe(recipe: Recipe): void {
  checkSchema(Recipe, recipe, []);
  checkOptimiser(recipe.optimiser);
  checkSchedule(recipe.schedule, recipe.epochs);
}

/** @param path property names from the recipe to the value. */
function checkSchema(schema: TSchema, value: unknown, path: readonly string[]): void {
  if (value === undefined) return;
  if (isValueSchema(schema)) {
    if (!Value.Check(schema, value)) refuse(nameOf(path), schema.expected, value);
  } else if (IsObject(schema)) {
    for (const [name, property] of Object.entries(schema.properties))
      checkSchema(property, (value as Readonly<Record<string, unknown>>)[name], [...path, name]);
  } else if (IsUnion(schema)) {
    const part = schema as Part;
    const { kind } = value as { readonly kind: string };
    const i = kindsOf(part).indexOf(kind);
    const chosen = part.anyOf[i];
    if (chosen === undefined) refuse(`${nameOf(path)}.kind`, alternatives(kindsOf(part)), kind);
    checkSchema(chosen, value, path);
  }
}

/** The name of a value: the last one of its path. If the part is nested, the part's name precedes it: augmentation, crop, padding is cropPadding. */
function nameOf(path: readonly string[]): string {
  const [outer = '', ...inner] = path.length > 1 ? path.slice(1) : path;
  return outer + inner.map((name) => name.charAt(0).toUpperCase() + name.slice(1)).join('');
}

function refuse(name: string, expected: string, got: unknown): never {
  throw new RecipeError(`${name}: expected ${expected}, got ${got}`);
}

function checkOptimiser(optimiser: OptimiserSettings): void {
  if (optimiser.kind === 'sgd' && optimiser.nesterov && optimiser.momentum === 0)
    refuse('momentum', 'a number above 0 with nesterov', 0);
}

function checkSchedule(schedule: Schedule, epochs: number): void {
  if (schedule.kind === 'step' && (schedule.milestones === undefined) === (schedule.every === undefined))
    throw new RecipeError(
      `Schedule step: expected either milestones or every, got ${schedule.milestones ? 'both' : 'neither'}`,
    );
  if (schedule.kind === 'cosine' && (schedule.warmupEpochs ?? 0) >= epochs)
    refuse('warmupEpochs', `a number of epochs in [0, ${epochs})`, schedule.warmupEpochs);
}
