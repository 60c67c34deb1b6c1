// The state of a run → a file → the same state; a checkpoint of another network is refused.
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { conv, dense } from '../../../../src/toolkit/architectures/layers.js';
import { float32Tensor } from '../../../../src/toolkit/graph/tensor-data.js';
import {
  type Checkpoint,
  loadCheckpoint,
  saveCheckpoint,
} from '../../../../src/toolkit/training/run/checkpoint.js';
import { encodeSafetensors } from '../../../../src/toolkit/training/run/safetensors.js';
import { glorotUniform } from '../../../../src/toolkit/training/step/initialisers.js';
import {
  collectParameters,
  fromTensors,
  vectorToTensors,
} from '../../../../src/toolkit/training/step/parameters.js';
import { mulberry32, uniform } from '../../../helpers/seeded-values.js';
import { tinyArchitecture, tinyRecipe } from '../../../helpers/tiny-dataset.js';

const { layout, tensors } = collectParameters(tinyArchitecture, glorotUniform(1));
const stateNames = ['moment1', 'moment2'];
const vector = (seed: number) => Float32Array.from(uniform(mulberry32(seed), layout.length));

const checkpoint: Checkpoint = {
  recipe: tinyRecipe,
  state: { step: 17, parameters: vector(1), optimiser: [vector(2), vector(3)] },
  position: { epoch: 2, batch: 5, lossSum: 1.1 / 3, correct: 40, seconds: 1.5 },
  history: [
    {
      epoch: 1,
      loss: 0.1,
      accuracy: 0.9,
      valLoss: 0.2,
      valAccuracy: 0.8,
      learningRate: 0.01,
      seconds: 1,
      imagesPerSecond: 45,
    },
    { epoch: 2, loss: 0.05, accuracy: 1, learningRate: 0.01, seconds: 1, imagesPerSecond: 45 },
  ],
};

t.test('a checkpoint keeps every bit', async (t) => {
  const folder = t.testdir({});
  const file = path.join(folder, 'run', 'checkpoint.safetensors');
  await saveCheckpoint(file, checkpoint, layout, stateNames);
  t.same(await loadCheckpoint(file, layout, stateNames), checkpoint);
  t.same(await readdir(path.dirname(file)), ['checkpoint.safetensors'], 'and nothing is left beside it');
});

t.test('a checkpoint of another network is refused, with file and parameter', async (t) => {
  const file = path.join(t.testdir({}), 'c.safetensors');
  await saveCheckpoint(file, checkpoint, layout, stateNames);
  const layoutWith = (layers: typeof tinyArchitecture.layers) =>
    collectParameters({ ...tinyArchitecture, layers }, glorotUniform(1)).layout;
  const layers = tinyArchitecture.layers;
  await t.rejects(loadCheckpoint(file, layoutWith([conv(5), ...layers.slice(1)]), stateNames), {
    name: 'CheckpointError',
    message: `${file}: parameter conv1.weight: expected [5, 1, 3, 3], got [4, 1, 3, 3]`,
  });
  await t.rejects(loadCheckpoint(file, layoutWith([...layers, dense(3)]), stateNames), {
    name: 'CheckpointError',
    message: `${file}: parameter dense2.weight [3, 3] is missing`,
  });
  await t.rejects(loadCheckpoint(file, layout, ['velocity']), {
    name: 'CheckpointError',
    message: `${file}: velocity: parameter conv1.weight [4, 1, 3, 3] is missing`,
  });
});

const format = 'quati-checkpoint-1';
const position = JSON.stringify(checkpoint.position);
const whole = { format, recipe: JSON.stringify(tinyRecipe), step: '1', position, history: '[]' };
const damaged: readonly [string, Record<string, string>, RegExp][] = [
  ['of another format', { ...whole, format: 'pt' }, /expected the format quati-checkpoint-1, got pt$/],
  ['without a position', { ...whole, position: '' }, /its position is missing or damaged$/],
  ['whose position is cut off', { ...whole, position: '{"epoch":' }, /its position is missing or damaged$/],
  ['whose position is no position', { ...whole, position: '{"epoch":"2"}' }, /its position is/],
  ['without a step', { ...whole, step: '' }, /its step is missing or damaged$/],
  ['whose step is no number', { ...whole, step: '"x"' }, /its step is missing or damaged$/],
  ['whose history is no list', { ...whole, history: '{}' }, /its history is missing or damaged$/],
  ['without a recipe', { ...whole, recipe: 'null' }, /its recipe is missing or damaged$/],
];

for (const [title, metadata, message] of damaged)
  t.test(`a checkpoint ${title} is refused, with the name of the file`, async (t) => {
    const file = path.join(t.testdir({}), 'c.safetensors');
    await writeFile(file, encodeSafetensors({ metadata, tensors: withMoments() }));
    const error = await loadCheckpoint(file, layout, stateNames).catch((error: Error) => error);
    t.match(error, { name: 'CheckpointError', message });
    t.ok('message' in error && error.message.startsWith(`${file}: `));
  });

function withMoments() {
  const all = vectorToTensors(layout, checkpoint.state.parameters);
  for (const state of stateNames) for (const [name, data] of tensors) all.set(`${state}/${name}`, data);
  return all;
}

t.test('a parameter that is missing or has another shape is refused when it is requested', async (t) => {
  const source = fromTensors(new Map([['w', float32Tensor([1, 2], [2])]]), 'weights');
  const spec = { name: 'w', shape: [2], kind: 'weight', fanIn: 1, fanOut: 1 } as const;
  t.same(source(spec).dims, [2]);
  t.throws(() => source({ ...spec, shape: [1, 2] }), {
    message: 'weights: parameter w: expected [1, 2], got [2]',
  });
  t.throws(() => source({ ...spec, name: 'b' }), { message: 'weights: parameter b [2] is missing' });
});
