// quati evaluate: a table or JSON of each variant's figures, which a run stores.
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { evaluateCommand } from '../../src/cli/evaluate.js';
import { formatTable } from '../../src/cli/table.js';
import { readReport } from '../../src/toolkit/evaluation/report.js';
import { readSummary } from '../../src/toolkit/evaluation/summary.js';
import { writeFixtureModel } from '../helpers/fixture-model.js';
import { writeMeasuredRun, writeTrainedRun } from '../helpers/fixture-run.js';
import { tinyRecipe, writeTinyDataset } from '../helpers/tiny-dataset.js';
import { runCommand } from './run-command.js';

/** Without plots, serving processes and exact speeds, which have separate tests. */
async function evaluate(root: string, ...argv: string[]) {
  const flags = ['--out', path.join(root, 'results'), '--no-pictures', '--no-memory', ...argv];
  return await runCommand((io) => evaluateCommand(io, { speedBudgetMs: 0 }), flags);
}

/** Without exact speeds alone. */
async function evaluateWhole(root: string, ...argv: string[]) {
  const flags = ['--out', path.join(root, 'results'), ...argv];
  return await runCommand((io) => evaluateCommand(io, { speedBudgetMs: 0 }), flags);
}

t.test('a run is measured, its figures are printed as a table and stored in the run', async (t) => {
  const root = t.testdir();
  const { run } = await writeMeasuredRun(root);
  const { code, out, err } = await evaluate(root, run);
  t.equal(code, 0);
  t.equal(err, '');
  const [title, header, ...rows] = out.trimEnd().split('\n');
  t.equal(title, `${run}: 10 test images of tiny, one thread`);
  t.match(header, /^variant +bytes +accuracy +95 % +p50 ms +p95 ms +images\/s at batch 32 +peak MB$/);
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
  const { code, out } = await evaluate(root, run, model, '--data', dataset, '--json');
  t.equal(code, 0);
  const reports = JSON.parse(out);
  t.strictSame(Object.keys(reports), [run, model]);
  t.match(reports[model], { dataset: { name: 'tiny' }, variants: { float32: { images: 10 } } });
  t.strictSame(reports[run], await readReport(run));
  t.strictSame((await readdir(model)).sort(), before, 'a published model is not written to');
});

t.test('results hold a summary, the plot for the decision, and the reports of each variant', async (t) => {
  const root = t.testdir();
  const { run } = await writeMeasuredRun(root);
  t.equal((await evaluateWhole(root, path.join(run, 'int8.onnx'))).code, 0);
  const results = path.join(root, 'results', 'tiny');
  t.strictSame((await readdir(results)).sort(), [
    'README.md',
    'accuracy_latency.png',
    'evaluation_summary.csv',
    'evaluation_summary.json',
    'tiny',
  ]);
  const folder = path.join(results, 'tiny', 'int8');
  const names = await readdir(folder);
  t.strictSame(names.sort(), [
    'classification_report.json',
    'classification_report.txt',
    'confusion_matrix.png',
    'mistakes.png',
    'reliability.png',
  ]);
  for (const name of names.filter((name) => name.endsWith('.png')))
    t.equal((await readFile(path.join(folder, name))).toString('latin1', 1, 4), 'PNG', name);
  const report = JSON.parse(await readFile(path.join(folder, 'classification_report.json'), 'utf8'));
  t.match(report, { labels: ['top', 'middle', 'bottom'], macro: { support: 10 } });
  t.match(await readFile(path.join(folder, 'classification_report.txt'), 'utf8'), /^ +bottom +[\d.]+ /m);
  const { rows } = await readSummary(results);
  const page = await readFile(path.join(results, 'README.md'), 'utf8');
  for (const line of [/^\| tiny \| int8 \| /m, /^npx quati train tiny$/m]) t.match(page, line);
  const { variants } = await readReport(run);
  t.strictSame(
    rows.map(({ variant, evaluation }) => [variant, evaluation]),
    [['int8', variants.int8]],
  );
  t.ok(variants.float32, 'what was measured of the run before stays');
  const { peakRssBytes = 0 } = rows[0]?.evaluation ?? {};
  t.ok(peakRssBytes > 5e7 && peakRssBytes < 2e9, `serving took ${peakRssBytes} bytes`);
});

t.test('ONNX files without a card are measured with the flags, and earlier rows stay', async (t) => {
  const root = t.testdir();
  const { run, dataset } = await writeTrainedRun(root);
  t.equal((await evaluate(root, run)).code, 0);
  const folder = path.join(root, 'exported');
  await mkdir(folder);
  await copyFile(path.join(run, 'float32.onnx'), path.join(folder, 'first.onnx'));
  await copyFile(path.join(run, 'float32.onnx'), path.join(folder, 'second.onnx'));
  const { code, out, err } = await evaluate(root, folder, '--data', dataset);
  t.equal(code, 0, err);
  t.match(out, /exported\/first\.onnx: 10 test images of tiny/);
  const { rows } = await readSummary(path.join(root, 'results', 'tiny'));
  t.strictSame(
    rows.map(({ model, variant }) => `${model} ${variant}`),
    ['exported first', 'exported second', 'tiny float32'],
  );
  const [first, , known] = rows;
  t.equal(first?.evaluation.accuracy, known?.evaluation.accuracy);
  t.match(await evaluate(root, folder), {
    code: 1,
    err: /needs --data <dataset>: the images to measure it on/,
  });
  t.match(await evaluate(root, path.join(root, 'none')), { code: 1, err: /nor a folder of ONNX files/ });
});

t.test('one file of a run is measured with the values of the run', async (t) => {
  const root = t.testdir();
  const { run } = await writeMeasuredRun(root);
  const { code, out } = await evaluate(root, path.join(run, 'int8.onnx'));
  t.equal(code, 0);
  t.match(out, /\nint8 /);
  t.notMatch(out, /\nfloat32 /);
});

t.test('a dataset that does not fit gives exit code 1, and nothing is recorded', async (t) => {
  const root = t.testdir();
  const { run } = await writeTrainedRun(root);
  const record = await readFile(path.join(run, 'run.json'), 'utf8');
  const larger = await writeTinyDataset(path.join(root, 'larger'), { side: 10 });
  t.match(await evaluate(root, run, '--data', larger), {
    code: 1,
    out: '',
    err: /^error: .*float32\.onnx: takes 8x8 gray images, but the dataset has 10x10 with 1 channels\n$/,
  });
  const renamed = await writeTinyDataset(path.join(root, 'renamed'), { labels: ['a', 'b', 'c'] });
  t.match(await evaluate(root, run, '--data', renamed), {
    code: 1,
    err: /^error: .*run: its labels are top, middle, bottom, but those of the dataset are a, b, c\n$/,
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
