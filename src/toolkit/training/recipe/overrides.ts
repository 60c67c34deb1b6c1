// The values of a recipe that a flag of `quati train` can set, each under one name that no other value has.
import type { Static, TObject } from '#typebox';
import { Binarisation } from '../../architectures/binarisation.js';
import { Crop, Cutout, plainAugmentation } from '../../augmentation/schema.js';
import { oneOf, only } from '../../value-schema.js';
import { kindsOf, optionsOf } from './kinds.js';
import { stepValues, trainingValues } from './recipe.js';
import {
  AdamW,
  CosineSchedule,
  EarlyStopping,
  OneCycleSchedule,
  OptimiserSettings,
  Schedule,
  Sgd,
  Softmax,
  StepSchedule,
} from './settings.js';

/** Values with the same name in two kinds have the same type. `kinds.ts` has the range of each. */
export const overridable = {
  ...trainingValues,
  ...stepValues,
  optimiser: oneOf(kindsOf(OptimiserSettings), {
    description:
      'if the kind differs from the recipe’s, the other values start from the defaults of that kind',
  }),
  ...optionsOf(AdamW),
  ...optionsOf(Sgd),
  schedule: oneOf(kindsOf(Schedule), {
    description:
      'if the kind differs from the recipe’s, the other values start from the defaults of that kind',
  }),
  ...optionsOf(StepSchedule),
  ...optionsOf(CosineSchedule),
  ...optionsOf(OneCycleSchedule),
  ...optionsOf(Softmax),
  ...EarlyStopping.properties,
  restoreBest: only(true, { description: 'train all epochs, and export the best' }),
  earlyStopping: only(false, { description: 'train all epochs, and export the last' }),
  ...Binarisation.properties,
  ...plainAugmentation,
  cropPadding: Crop.properties.padding,
  cutoutSize: Cutout.properties.size,
};

export type RecipeOverrides = Partial<Static<TObject<typeof overridable>>>;
export type OverrideName = keyof RecipeOverrides;

export const overrideNames = Object.keys(overridable) as readonly OverrideName[];

/** `batchSize` → `--batch-size`. */
export function flagOf(name: OverrideName): string {
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return name === 'earlyStopping' ? `--no-${words}` : `--${words}`;
}
