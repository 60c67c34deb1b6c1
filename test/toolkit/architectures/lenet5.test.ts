// LeNet-5 with real and with binary weights: its parameters, its latent weights, and the width of its last layer.
import t from 'tap';
import type { Binarisation } from '../../../src/toolkit/architectures/binarisation.js';
import { type Architecture, classifierOf } from '../../../src/toolkit/architectures/layers.js';
import { lenet5, lenet5Binary } from '../../../src/toolkit/architectures/lenet5.js';
import { lenet5BinaryRecipe } from '../../../src/toolkit/training/recipe/bundled/lenet5-binary.js';
import { fitLabels } from '../../../src/toolkit/training/recipe/fit-labels.js';
import { glorotUniform } from '../../../src/toolkit/training/step/initialisers.js';
import { collectParameters, learnedCount } from '../../../src/toolkit/training/step/parameters.js';

const binarisation = lenet5BinaryRecipe.binarisation as Binarisation;
const layoutOf = (architecture: Architecture) => collectParameters(architecture, glorotUniform(1)).layout;
const latentOf = (change: Partial<Binarisation>) =>
  layoutOf(lenet5Binary({ ...binarisation, ...change })).entries.flatMap(({ name, latent }) =>
    latent ? [name] : [],
  );

t.test('LeNet-5 has 61,706 parameters, none of them latent', async (t) => {
  t.equal(learnedCount(layoutOf(lenet5)), 61_706);
  t.notOk(layoutOf(lenet5).entries.some(({ latent }) => latent));
});

t.test('every weight of the binarised network is latent, except real first or last layers', async (t) => {
  const all = ['conv1', 'conv2', 'dense1', 'dense2', 'dense3'].map((layer) => `${layer}.weight`);
  t.same(latentOf({}), all);
  t.same(latentOf({ activations: 'float32' }), all);
  t.same(latentOf({ firstLayer: 'float32' }), all.slice(1));
  t.same(latentOf({ lastLayer: 'float32' }), all.slice(0, -1));
});

t.test('the last layer gets one output per label, and stays binary', async (t) => {
  const { architecture } = fitLabels(lenet5BinaryRecipe, 4);
  t.match(classifierOf(architecture), { units: 4, bias: false, binary: 'clipped' });
  t.match(layoutOf(architecture).entries.at(-1), { name: 'batchNorm5.variance', shape: [4] });
});
