// The files with the epochs of a run.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { type EpochRecord, writeHistory } from '../../../../src/toolkit/training/run/history.js';

const first: EpochRecord = {
  epoch: 1,
  loss: 0.25,
  accuracy: 0.9,
  valLoss: 0.3,
  valAccuracy: 0.875,
  valPrecision: 0.8,
  valRecall: 0.9,
  learningRate: 0.001,
  seconds: 12.5,
  imagesPerSecond: 4320,
  phase: 'head',
};
const unvalidated = {
  epoch: 2,
  loss: 1e-7,
  accuracy: 0.9,
  learningRate: 0.001,
  seconds: 12.5,
  imagesPerSecond: 4320,
};

t.test(
  'history.csv has one line per epoch, with empty cells for missing figures; history.json has all figures',
  async (t) => {
    const folder = path.join(t.testdir({}), 'run');
    const history = [first, unvalidated];
    await writeHistory(folder, history);
    t.equal(
      await readFile(path.join(folder, 'history.csv'), 'utf8'),
      'epoch,loss,accuracy,valLoss,valAccuracy,valPrecision,valRecall,learningRate,seconds,imagesPerSecond,phase\n' +
        '1,0.25,0.9,0.3,0.875,0.8,0.9,0.001,12.5,4320,head\n' +
        '2,1e-7,0.9,,,,,0.001,12.5,4320,\n',
    );
    t.same(JSON.parse(await readFile(path.join(folder, 'history.json'), 'utf8')), history);
  },
);

t.test('a shorter history replaces a longer one', async (t) => {
  const folder = t.testdir({});
  await writeHistory(folder, [first, first, first]);
  await writeHistory(folder, []);
  t.equal(
    await readFile(path.join(folder, 'history.csv'), 'utf8'),
    'epoch,loss,accuracy,valLoss,valAccuracy,valPrecision,valRecall,learningRate,seconds,imagesPerSecond,phase\n',
  );
});
