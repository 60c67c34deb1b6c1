// quati quantise: int8.onnx beside float32.onnx, or a line that says why not and no file.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { runCli } from '../../src/cli/program.js';
import { decodeOnnx } from '../../src/toolkit/graph/onnx.js';
import { toIntegers } from '../../src/toolkit/graph/tensor-data.js';
import { writeTrainedRun } from '../helpers/fixture-run.js';
import { writeTinyDataset } from '../helpers/tiny-dataset.js';
import { fakeIo } from './fake-io.js';

async function quantise(...argv: string[]) {
  const io = fakeIo();
  const code = await runCli(['quantise', ...argv], io);
  return { code, out: io.out(), err: io.err() };
}

async function largestWeight(file: string): Promise<number> {
  const graph = decodeOnnx(await readFile(file), file);
  const weights = [...graph.initializers.values()].filter(({ dataType }) => dataType === 'int8');
  return Math.max(...weights.flatMap(toIntegers).map(Math.abs));
}

t.test('int8.onnx is written, and its size told and what comes next', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  const { code, out, err } = await quantise(run, '--images', '20');
  const int8 = path.join(run, 'int8.onnx');
  const bytes = (await readFile(int8)).byteLength;
  const before = (await readFile(path.join(run, 'float32.onnx'))).byteLength;
  t.equal(code, 0);
  t.equal(err, '');
  t.equal(
    out,
    `${int8}: ${bytes} bytes, ${(bytes / before).toFixed(3)} of float32's ${before}, ` +
      `calibrated on 20 images\nNext: quati evaluate ${run}\n`,
  );
  t.equal(await largestWeight(int8), 63);
});

t.test('where there are fewer images than asked for, their number is told', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  t.match(await quantise(run), { code: 0, out: /calibrated on 50 images/ });
});

t.test('--no-reduce-range takes all 8 bits of the weights', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  t.match(await quantise(run, '--no-reduce-range'), { code: 0 });
  t.equal(await largestWeight(path.join(run, 'int8.onnx')), 127);
});

t.test('--json prints one document', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  const { out } = await quantise(run, '--json');
  const file = path.join(run, 'int8.onnx');
  t.match(JSON.parse(out), { file, bytes: (await readFile(file)).byteLength, ratio: Number });
});

t.test('twice gives the same bytes', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  const file = path.join(run, 'int8.onnx');
  await quantise(run);
  const first = await readFile(file);
  await quantise(run);
  t.ok(first.equals(await readFile(file)));
});

t.test('a run without a model is exit code 1, said in a line', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  await rm(path.join(run, 'float32.onnx'));
  t.match(await quantise(run), {
    code: 1,
    out: '',
    err: /^error: .*float32\.onnx: there is no trained model yet: ENOENT.*\n$/,
  });
  t.strictSame(await readdir(run), ['run.json']);
});

t.test('wrong inputs write no file and keep the one there was', async (t) => {
  const root = t.testdir();
  const { run } = await writeTrainedRun(root);
  const other = await writeTinyDataset(path.join(root, 'other'), { side: 10 });
  t.match(await quantise(run, '--data', other), {
    code: 1,
    err: /^error: the model takes 8x8 gray images, the dataset has 10x10 with 1 channels\n$/,
  });
  t.match(await quantise(run, '--data', path.join(root, 'nothing')), {
    code: 1,
    err: /holds no prepared dataset/,
  });
  t.strictSame((await readdir(run)).sort(), ['float32.onnx', 'run.json']);
  await quantise(run);
  const int8 = await readFile(path.join(run, 'int8.onnx'));
  await writeFile(path.join(run, 'float32.onnx'), 'damaged');
  t.match(await quantise(run), { code: 1, err: /^error: .*float32\.onnx: not an ONNX model: / });
  await writeFile(path.join(run, 'float32.onnx'), int8);
  t.match(await quantise(run), { code: 1, err: /^error: .*float32\.onnx: is quantised already/ });
  t.ok(int8.equals(await readFile(path.join(run, 'int8.onnx'))));
  t.strictSame((await readdir(run)).sort(), ['float32.onnx', 'int8.onnx', 'run.json']);
});
