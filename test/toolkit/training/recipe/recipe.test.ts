// A recipe and the values of flags → the recipe of the training, or its error.
import t from 'tap';
import { IsObject, IsUnion, type TSchema } from '#typebox';
import type { Binarisation } from '../../../../src/toolkit/architectures/binarisation.js';
import { lenet5Binary } from '../../../../src/toolkit/architectures/lenet5.js';
import { recipes } from '../../../../src/toolkit/training/recipe/bundled/index.js';
import { lenet5BinaryRecipe } from '../../../../src/toolkit/training/recipe/bundled/lenet5-binary.js';
import { checkRecipe } from '../../../../src/toolkit/training/recipe/check.js';
import { flagGroups } from '../../../../src/toolkit/training/recipe/flags.js';
import { overrideNames, type RecipeOverrides } from '../../../../src/toolkit/training/recipe/overrides.js';
import { Recipe } from '../../../../src/toolkit/training/recipe/recipe.js';
import { resolveRecipe } from '../../../../src/toolkit/training/recipe/resolve.js';
import { isValueSchema } from '../../../../src/toolkit/value-schema.js';
import { tinyRecipe } from '../../../helpers/tiny-dataset.js';

const binarisation = lenet5BinaryRecipe.binarisation as Binarisation;
const stopping: Recipe = { ...tinyRecipe, earlyStopping: { monitor: 'valAccuracy', patience: 5 } };
const stepping: Recipe = { ...tinyRecipe, schedule: { kind: 'step', milestones: [1], factor: 0.5 } };

const resolved: [title: string, from: Recipe, overrides: RecipeOverrides, expected: Partial<Recipe>][] = [
  [
    'single values take the place of the recipe’s',
    tinyRecipe,
    { epochs: 7, batchSize: 16, learningRate: 0.5, validationSplit: 0, seed: 9, clipNorm: 2 },
    { epochs: 7, batchSize: 16, learningRate: 0.5, validationSplit: 0, seed: 9, clipNorm: 2 },
  ],
  [
    'another optimiser starts from its own defaults',
    tinyRecipe,
    { optimiser: 'sgd', momentum: 0.8 },
    { optimiser: { kind: 'sgd', momentum: 0.8 } },
  ],
  [
    'a value of the recipe’s own optimiser leaves the others',
    { ...tinyRecipe, optimiser: { kind: 'adamw', beta1: 0.8, weightDecay: 0.1 } },
    { optimiser: 'adamw', weightDecay: 0.2 },
    { optimiser: { kind: 'adamw', beta1: 0.8, weightDecay: 0.2 } },
  ],
  [
    'another schedule',
    tinyRecipe,
    { schedule: 'one-cycle', rise: 0.2 },
    { schedule: { kind: 'one-cycle', rise: 0.2 } },
  ],
  [
    'what is binarised builds the architecture anew',
    lenet5BinaryRecipe,
    { signGradient: 'swish', lastLayer: 'float32' },
    {
      binarisation: { ...binarisation, signGradient: 'swish', lastLayer: 'float32' },
      architecture: lenet5Binary({ ...binarisation, signGradient: 'swish', lastLayer: 'float32' }),
    },
  ],
  [
    'every takes the place of milestones',
    stepping,
    { every: 1 },
    { schedule: { kind: 'step', every: 1, factor: 0.5 } },
  ],
  [
    'label smoothing',
    tinyRecipe,
    { labelSmoothing: 0.1 },
    { loss: { kind: 'softmax', labelSmoothing: 0.1 } },
  ],
  ['patience alone', tinyRecipe, { patience: 3 }, { earlyStopping: { monitor: 'valLoss', patience: 3 } }],
  ['the best of all epochs', tinyRecipe, { restoreBest: true }, { earlyStopping: { monitor: 'valLoss' } }],
  [
    'another patience',
    stopping,
    { patience: 2, minDelta: 0.01 },
    { earlyStopping: { monitor: 'valAccuracy', patience: 2, minDelta: 0.01 } },
  ],
  [
    'augmentation',
    { ...tinyRecipe, augmentation: { rotation: 5, zoom: 0.1 } },
    { rotation: 10, flip: true, cropPadding: 2, fill: 'edge' },
    { augmentation: { rotation: 10, zoom: 0.1, flip: true, crop: { padding: 2 }, fill: 'edge' } },
  ],
];

for (const [title, from, overrides, expected] of resolved)
  t.test(title, async (t) => {
    const unchanged = { ...from, loss: { kind: 'softmax' } };
    t.same(resolveRecipe(from, overrides), { ...unchanged, ...expected });
  });

t.test('early stopping can be removed from a recipe', async (t) => {
  t.equal(resolveRecipe(stopping, { earlyStopping: false }).earlyStopping, undefined);
});

const refused: [overrides: RecipeOverrides, message: string, from?: Recipe][] = [
  [{ epochs: 0 }, 'epochs: expected a positive integer, got 0'],
  [{ batchSize: 1.5 }, 'batchSize: expected a positive integer, got 1.5'],
  [{ learningRate: Number.POSITIVE_INFINITY }, 'learningRate: expected a positive number, got Infinity'],
  [{ validationSplit: 1 }, 'validationSplit: expected a number in [0, 1), got 1'],
  [{ clipNorm: 0 }, 'clipNorm: expected a positive number, got 0'],
  [{ labelSmoothing: 1 }, 'labelSmoothing: expected a number in [0, 1), got 1'],
  [{ momentum: 0.5 }, 'Optimiser adam has no option momentum; its options are beta1, beta2, epsilon'],
  [{ weightDecay: 0.1 }, 'Optimiser adam has no option weightDecay; its options are beta1, beta2, epsilon'],
  [
    { optimiser: 'sgd', beta1: 0.5 },
    'Optimiser sgd has no option beta1; its options are momentum, nesterov, weightDecay',
  ],
  [{ optimiser: 'sgd', momentum: 1 }, 'momentum: expected a number in [0, 1), got 1'],
  [
    { optimiser: 'sgd', momentum: 0, nesterov: true },
    'momentum: expected a number above 0 with nesterov, got 0',
  ],
  [{ optimiser: 'adamw', weightDecay: -1 }, 'weightDecay: expected a number of 0 or more, got -1'],
  [{ every: 2 }, 'Schedule constant has no option every; it has no options'],
  [{ schedule: 'step' }, 'Schedule step: expected either milestones or every, got neither'],
  [
    { schedule: 'step', every: 1, milestones: [1] },
    'Schedule step: expected either milestones or every, got both',
  ],
  [{ milestones: [1, 0] }, 'milestones: expected positive numbers, got 1,0', stepping],
  [{ schedule: 'cosine', warmupEpochs: 2 }, 'warmupEpochs: expected a number of epochs in [0, 2), got 2'],
  [{ schedule: 'one-cycle', rise: 1 }, 'rise: expected a number in [0, 1), got 1'],
  [{ patience: 0 }, 'patience: expected a positive integer, got 0'],
  [{ patience: 2, earlyStopping: false }, '--patience cannot be combined with --no-early-stopping'],
  [
    { labelSmoothing: 0.1 },
    'Loss sigmoid has no option labelSmoothing; it has no options',
    { ...tinyRecipe, loss: { kind: 'sigmoid' } },
  ],
  [
    { signGradient: 'swish' },
    'Recipe tiny has no binarised layers; signGradient is only for recipes with binarised layers',
  ],
  [{ rotation: 181 }, 'rotation: expected a number in [0, 180], got 181'],
  [{ rotation: Number.NaN }, 'rotation: expected a number in [0, 180], got NaN'],
  [{ zoom: 1 }, 'zoom: expected a number in [0, 1), got 1'],
  [{ shift: -0.1 }, 'shift: expected a number in [0, 1], got -0.1'],
  [{ cropPadding: 1.5 }, 'cropPadding: expected a whole number of pixels, 0 or more, got 1.5'],
  [{ cutoutSize: -1 }, 'cutoutSize: expected a whole number of pixels, 0 or more, got -1'],
  [{ fill: 256 }, 'fill: expected a whole number in [0, 255] or edge, got 256'],
];

for (const [overrides, message, from = tinyRecipe] of refused)
  t.test(`${JSON.stringify(overrides)} is refused: ${message}`, async (t) => {
    t.throws(() => resolveRecipe(from, overrides), { name: 'RecipeError', message });
  });

t.test('an unknown kind and an unknown binarised architecture are refused by name', async (t) => {
  const optimiser = { kind: 'lion' } as unknown as Recipe['optimiser'];
  t.throws(() => checkRecipe({ ...tinyRecipe, optimiser }), {
    name: 'RecipeError',
    message: 'optimiser.kind: expected sgd, adam or adamw, got lion',
  });
  t.throws(() => resolveRecipe({ ...tinyRecipe, binarisation }, { lastLayer: 'float32' }), {
    name: 'RecipeError',
    message: 'No binarised architecture has the name tiny; the known ones are lenet5-binary',
  });
});

/** Names of the values of a part: crop's padding is cropPadding. */
function valuesOf(part: TSchema): string[] {
  if (IsUnion(part)) return part.anyOf.flatMap(valuesOf);
  if (!IsObject(part)) return [];
  return Object.entries(part.properties).flatMap(([name, value]) => {
    if (isValueSchema(value)) return [name];
    return valuesOf(value).map((inner) => name + inner.charAt(0).toUpperCase() + inner.slice(1));
  });
}

t.test('every value in the schema of a recipe can be set by one flag', async (t) => {
  const flags = Object.values(flagGroups).flatMap(({ flags }) => flags.map(({ name }) => name));
  t.equal(new Set(flags).size, flags.length, 'no name stands in two groups');
  t.same([...flags].sort(), [...overrideNames].sort());
  const { backbone: _, ...settable } = Recipe.properties;
  const named = Object.values(settable).flatMap((part) => valuesOf(part));
  const own = Object.entries(settable).flatMap(([name, part]) => (isValueSchema(part) ? [name] : []));
  const notInRecipe = ['optimiser', 'schedule', 'restoreBest', 'earlyStopping'];
  t.same([...new Set([...own, ...named, ...notInRecipe])].sort(), [...overrideNames].sort());
});

t.test('every bundled recipe is valid', async (t) => {
  for (const recipe of recipes) t.match(resolveRecipe(recipe, {}), recipe, recipe.name);
});
