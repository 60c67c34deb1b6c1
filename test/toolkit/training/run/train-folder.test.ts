// train() from a folder of images: decoded, the network as wide as its labels, augmented in a data thread, resumed.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { fitLabels } from '../../../../src/toolkit/training/recipe/fit-labels.js';
import { readRun } from '../../../../src/toolkit/training/run/run-folder.js';
import { type TrainOptions, train } from '../../../../src/toolkit/training/run/train.js';
import { noise, png } from '../../../helpers/images.js';
import { tinyArchitecture, tinyRecipe } from '../../../helpers/tiny-dataset.js';

const recipe = { ...tinyRecipe, epochs: 1, augmentation: { shift: 0.1, flip: true } };

/** Two categories, one of them bright; a validation split of its own, and a file that is no image. */
async function writeFolder(root: string): Promise<string> {
  for (const [split, each] of [['train', 10] as const, ['val', 3] as const])
    for (const [label, category] of ['dark', 'light'].entries()) {
      await mkdir(path.join(root, split, category), { recursive: true });
      for (let i = 0; i < each; i++) {
        const pixels = noise(64, i).map((value) => value / 2 + 120 * label);
        await writeFile(path.join(root, split, category, `${i}.png`), png(8, 8, 1, pixels));
      }
    }
  await writeFile(path.join(root, 'train/dark/note.txt'), 'no image');
  return root;
}

t.test('training uses an image folder directly, and a resumed run ends with the same losses', async (t) => {
  const folder = t.testdir({});
  const datasetFolder = await writeFolder(path.join(folder, 'pictures'));
  const options = (run: string): TrainOptions => ({
    recipe,
    datasetFolder,
    runFolder: path.join(folder, run),
    command: 'npx quati train tiny',
    tool: 'quati test',
    threads: 1,
  });
  await t.rejects(train(options('strict')), { name: 'BadImagesError', message: /note\.txt/ });

  const left: string[] = [];
  const result = await train({
    ...options('run'),
    skipBad: true,
    onSkipped: (bad) => left.push(...bad.map(({ file }) => path.basename(file))),
  });
  t.same(left, ['note.txt']);
  t.match(result, { finished: true, steps: 3, history: [{ epoch: 1, valAccuracy: Number }] });
  const record = await readRun(path.join(folder, 'run'));
  t.match(record, { labels: ['dark', 'light'], dataset: { name: 'pictures', skipBad: true } });
  t.match(record.recipe.architecture.layers.at(-1), { kind: 'dense', units: 2 });

  await train({ ...options('parts'), skipBad: true, maxSteps: 1, dataThreads: 0 });
  const resumed = await train({ ...options('parts'), existing: 'resume' });
  t.equal(resumed.history[0]?.valLoss, result.history[0]?.valLoss);
});

t.test('a stop during decoding stops the run before any training', async (t) => {
  const folder = t.testdir({});
  const datasetFolder = await writeFolder(path.join(folder, 'pictures'));
  const stopping = new AbortController();
  const stopped = train({
    recipe,
    datasetFolder,
    runFolder: path.join(folder, 'run'),
    skipBad: true,
    command: 'npx quati train tiny',
    tool: 'quati test',
    signal: stopping.signal,
    onDecoded: () => stopping.abort(),
    onStep: () => t.fail('a step was taken'),
  });
  stopping.abort();
  await t.rejects(stopped, { name: 'AbortError' });
});

t.test(
  'the last layer gets one output per label; a network with another kind of last layer is refused',
  async (t) => {
    t.equal(fitLabels(tinyRecipe, 3), tinyRecipe);
    t.match(fitLabels(tinyRecipe, 7).architecture.layers.at(-1), { units: 7 });
    const binary = { ...tinyRecipe, loss: { kind: 'sigmoid' as const } };
    const one = fitLabels(binary, 2);
    t.match(one.architecture.layers.at(-1), { units: 1 }, 'one logit tells two labels apart');
    t.equal(fitLabels(one, 2), one);
    t.throws(() => fitLabels(one, 3), {
      name: 'DatasetMismatchError',
      message: 'tiny: a sigmoid is for 2 labels, but the dataset has 3',
    });
    const architecture = { ...tinyArchitecture, layers: tinyArchitecture.layers.slice(0, -1) };
    t.throws(() => fitLabels({ ...tinyRecipe, architecture }, 3), {
      name: 'DatasetMismatchError',
      message: 'tiny: ends in flatten, expected a dense layer for 3 labels',
    });
  },
);
