// quati evaluate: a table or JSON of each variant's figures; a run keeps them.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { runCli } from '../../src/cli/program.js';
import { formatTable } from '../../src/cli/table.js';
import { readReport } from '../../src/toolkit/evaluation/report.js';
import { writeFixtureModel } from '../helpers/fixture-model.js';
import { writeMeasuredRun, writeTrainedRun } from '../helpers/fixture-run.js';
import { tinyRecipe, writeTinyDataset } from '../helpers/tiny-dataset.js';
import { fakeIo } from './fake-io.js';

async function evaluate(...argv: string[]) {
  const io = fakeIo();
  const code = await runCli(['evaluate', ...argv], io);
  return { code, out: io.out(), err: io.err() };
}

t.test('a run is measured, printed as a table, and keeps the figures', async (t) => {
  const { run } = await writeMeasuredRun(t.testdir());
  const { code, out, err } = await evaluate(run);
  t.equal(code, 0);
  t.equal(err, '');
  const [title, header, ...rows] = out.trimEnd().split('\n');
  t.equal(title, `${run}: 10 test images of tiny, one thread`);
  t.match(header, /^variant +bytes +accuracy +p50 ms +p95 ms +images\/s at batch 32$/);
  const { variants } = await readReport(run);
  t.strictSame(Object.keys(variants), ['float32', 'int8']);
  for (const [i, [name, figures]] of Object.entries(variants).entries()) {
    const accuracy = `${((figures?.accuracy ?? Number.NaN) * 100).toFixed(2)} %`;
    t.match(rows[i], new RegExp(`^${name} +${figures?.bytes} +${accuracy} `));
  }
});

t.test('--json prints the figures of several folders as one document', async (t) => {
  const root = t.testdir();
  const { run, dataset } = await writeTrainedRun(root);
  const labels = ['top', 'middle', 'bottom'];
  const model = await writeFixtureModel(path.join(root, 'models'), { labels, input: tinyRecipe.input });
  const before = (await readdir(model)).sort();
  const { code, out } = await evaluate(run, model, '--data', dataset, '--json');
  t.equal(code, 0);
  const reports = JSON.parse(out);
  t.strictSame(Object.keys(reports), [run, model]);
  t.match(reports[model], { dataset: { name: 'tiny' }, variants: { float32: { images: 10 } } });
  t.strictSame(reports[run], await readReport(run));
  t.strictSame((await readdir(model)).sort(), before, 'a published model is not written to');
});

t.test('a dataset that does not fit is exit code 1, and nothing is recorded', async (t) => {
  const root = t.testdir();
  const { run } = await writeTrainedRun(root);
  const record = await readFile(path.join(run, 'run.json'), 'utf8');
  const larger = await writeTinyDataset(path.join(root, 'larger'), { side: 10 });
  t.match(await evaluate(run, '--data', larger), {
    code: 1,
    out: '',
    err: /^error: .*float32\.onnx: takes 8x8 gray images, the dataset has 10x10 with 1 channels\n$/,
  });
  const renamed = await writeTinyDataset(path.join(root, 'renamed'), { labels: ['a', 'b', 'c'] });
  t.match(await evaluate(run, '--data', renamed), {
    code: 1,
    err: /^error: .*run: tells top, middle, bottom apart, the dataset holds a, b, c\n$/,
  });
  t.strictSame((await readdir(run)).sort(), ['float32.onnx', 'run.json']);
  t.equal(await readFile(path.join(run, 'run.json'), 'utf8'), record);
});

t.test('a table aligns names to the left and figures to the right', (t) => {
  const rows = [
    ['variant', 'bytes'],
    ['int8', '7'],
    ['a long name', '12345678'],
  ];
  t.equal(formatTable(rows), 'variant         bytes\nint8                7\na long name  12345678\n');
  t.end();
});
