// quati models: the list, and exit code 1 with file and reason for a model that could not serve.
import t from 'tap';
import { runCli } from '../../src/cli/program.js';
import { writeFixtureModel } from '../helpers/fixture-model.js';
import { fakeIo } from './fake-io.js';

async function list(...argv: string[]) {
  const io = fakeIo();
  const code = await runCli(['models', ...argv], io);
  return { code, out: io.out(), err: io.err() };
}

t.test('models that can serve are listed by variant', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, { variants: ['float32', 'int8'], defaultVariant: 'int8' });
  const { code, out } = await list(models);
  t.equal(code, 0);
  t.match(
    out,
    /^model +variant +bytes +accuracy +\nbrightness 1 +float32 +\d+ +ready\nbrightness 1 +int8 +\d+ +serves\n$/,
  );
  t.match(JSON.parse((await list(models, '--json')).out), [
    { name: 'brightness', ready: true, variant: 'int8' },
  ]);
});

t.test('a damaged model gives exit code 1 and is reported by file', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, { name: 'good' });
  await writeFixtureModel(models, {
    name: 'bad',
    change: (card) => ({ ...card, labels: ['a', 'b', 'c'], golden: [] }),
  });
  const { code, out, err } = await list(models);
  t.equal(code, 1);
  t.match(out, /bad 1 +float32 +\d+ +not ready\ngood 1 +float32 +\d+ +serves/);
  t.match(
    err,
    /^error: 1 of 2 cannot serve: .*bad\/1\/float32\.onnx: Output: expected 3 scores, one per label, got 2\n$/,
  );
});

t.test('an empty folder is reported', async (t) => {
  const folder = t.testdir();
  t.strictSame(await list(folder), { code: 0, out: `There are no models in ${folder}\n`, err: '' });
});
