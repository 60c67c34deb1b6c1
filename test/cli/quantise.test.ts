// quati quantise: int8.onnx next to float32.onnx, or no file and a line that says why.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { runCli } from '../../src/cli/program.js';
import { decodeOnnx } from '../../src/toolkit/graph/onnx.js';
import { toIntegers } from '../../src/toolkit/graph/tensor-data.js';
import type { LayerReport } from '../../src/toolkit/quantisation/report.js';
import { writeTrainedRun } from '../helpers/fixture-run.js';
import { foreignModel } from '../helpers/foreign-models.js';
import { noise, png } from '../helpers/images.js';
import { writeTinyDataset } from '../helpers/tiny-dataset.js';
import { fakeIo } from './fake-io.js';

async function quantise(...argv: string[]) {
  const io = fakeIo();
  const code = await runCli(['quantise', ...argv], io);
  return { code, out: io.out(), err: io.err() };
}

function photo(width: number, height: number): Buffer {
  return png(width, height, 3, noise(width * height * 3));
}

async function largestWeight(file: string): Promise<number> {
  const graph = decodeOnnx(await readFile(file), file);
  const weights = [...graph.initializers.values()].filter(({ dataType }) => dataType === 'int8');
  return Math.max(...weights.flatMap(toIntegers).map(Math.abs));
}

const all = [
  'float16.onnx',
  'float32.onnx',
  'int8.onnx',
  'quantisation.json',
  'quantisation.txt',
  'run.json',
];

t.test('int8.onnx and float16.onnx are written, and their sizes and the next step are shown', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  const { code, out, err } = await quantise(run, '--images', '20');
  const [int8 = '', float16 = ''] = ['int8.onnx', 'float16.onnx'].map((name) => path.join(run, name));
  const before = (await readFile(path.join(run, 'float32.onnx'))).byteLength;
  const size = async (file: string) => {
    const bytes = (await readFile(file)).byteLength;
    return `${file}: ${bytes} bytes, ${(bytes / before).toFixed(3)} of float32's ${before}`;
  };
  t.equal(code, 0);
  t.equal(err, '');
  t.equal(
    out,
    `${await size(int8)}, calibrated on 20 images\n` +
      `${await size(float16)}. On a CPU, float16 saves space but no time: weights become float32 when the model is loaded.\n` +
      `Layer by layer: ${path.join(run, 'quantisation.txt')}\nNext: quati evaluate ${run}\n`,
  );
  t.equal(await largestWeight(int8), 63);
  t.strictSame((await readdir(run)).sort(), all);
});

t.test('the report next to them states the noise of every layer, as text and as JSON', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  await quantise(run, '--keep-float', '1', '--calibration', 'entropy');
  const report = JSON.parse(await readFile(path.join(run, 'quantisation.json'), 'utf8'));
  t.match(report.int8, {
    activations: 'uint8',
    weightBits: 7,
    calibration: { kind: 'entropy', images: 50 },
    measuredImages: 50,
    scoresDb: Number,
  });
  const layers: LayerReport[] = report.int8.layers;
  t.strictSame(
    layers.map(({ op }) => op),
    ['Conv', 'Gemm'],
  );
  t.equal(layers.filter(({ runs }) => runs === 'float32').length, 1);
  for (const layer of layers) t.ok((layer.aloneDb ?? 0) > 10, layer.name);
  const text = await readFile(path.join(run, 'quantisation.txt'), 'utf8');
  t.match(text, /activations uint8, weights of 7 bits, entropy on 50 images/);
  t.match(text, /layer +runs +weights +weights dB +result dB +alone dB\n/);
  for (const { op, name } of layers) t.match(text, `${op} ${name}`);
});

t.test('--to selects the variants, and the report states --percentile and --activations', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  t.match(await quantise(run, '--to', 'float16'), { code: 0 });
  t.notOk((await readdir(run)).includes('int8.onnx'));
  await quantise(run, '--to', 'int8', '--percentile', '99', '--activations', 'int8');
  const report = JSON.parse(await readFile(path.join(run, 'quantisation.json'), 'utf8'));
  t.match(report, { int8: { activations: 'int8', calibration: { kind: 'percentile', percentile: 99 } } });
  t.notOk('float16' in report);
});

t.test('a model.onnx of another tool is quantised in its own folder, on a folder of images', async (t) => {
  const folder = t.testdir({ photos: {} });
  const model = path.join(folder, 'net.onnx');
  await writeFile(model, foreignModel('torch-resnet').bytes);
  for (const i of [1, 2, 3]) await writeFile(path.join(folder, 'photos', `${i}.png`), photo(40, 30));
  const flags = ['--mean', '0.5', '--std', '0.25', '--fit', 'fill'];
  const { code, out } = await quantise(model, '--calibrate', path.join(folder, 'photos'), ...flags);
  t.equal(code, 0);
  t.match(out, /net\.int8\.onnx: .* calibrated on 3 images\n/);
  t.strictSame((await readdir(folder)).sort(), [
    'net.float16.onnx',
    'net.int8.onnx',
    'net.onnx',
    'net.quantisation.json',
    'net.quantisation.txt',
    'photos',
  ]);
});

t.test('a model.onnx with bytes, channels last and a fixed batch is quantised too', async (t) => {
  const folder = t.testdir({ photos: {} });
  const model = path.join(folder, 'bytes.onnx');
  await writeFile(model, foreignModel('keras-bytes').bytes);
  for (const i of [1, 2]) await writeFile(path.join(folder, 'photos', `${i}.png`), photo(16, 16));
  const out = path.join(folder, 'out');
  t.match(await quantise(model, '--data', path.join(folder, 'photos'), '--out', out), { code: 0 });
  t.ok((await readdir(out)).includes('bytes.int8.onnx'));
});

t.test('wrong use gives exit code 2 and one line, and writes nothing', async (t) => {
  const root = t.testdir({ photos: { 'a.png': 'no image' }, empty: {} });
  const { run } = await writeTrainedRun(root);
  const model = path.join(root, 'net.onnx');
  await writeFile(model, foreignModel('torch-resnet').bytes);
  for (const [argv, code, err] of [
    [[model], 2, /net\.onnx: calibration needs --calibrate <folder of images or dataset>/],
    [
      [model, '--calibrate', path.join(root, 'empty')],
      1,
      /empty: expected images or a prepared dataset to calibrate on/,
    ],
    [[model, '--calibrate', path.join(root, 'photos')], 1, /a\.png: The bytes are no PNG.*--skip-bad/],
    [
      [model, '--calibrate', path.join(root, 'photos'), '--skip-bad'],
      1,
      /expected images to calibrate on, found none/,
    ],
    [[model, '--calibrate', root, '--size', '99'], 2, /--size: width: the model takes 16, got 99/],
    [[run, '--mean', '1'], 2, /--mean is for a model\.onnx/],
    [[run, '--calibration', 'minmax', '--percentile', '99'], 2, /--percentile 99: is only for/],
    [[run, '--to', 'int4'], 2, /expected any of int8, float16, got int4/],
    [[run, '--exclude', 'conv9'], 1, /has no layer conv9 to exclude; its layers are /],
  ] as const)
    t.match(await quantise(...argv), { code, out: '', err }, argv.slice(1).join(' '));
  t.strictSame((await readdir(root)).sort(), ['data', 'empty', 'net.onnx', 'photos', 'run']);
  t.strictSame((await readdir(run)).sort(), ['float32.onnx', 'run.json']);
});

t.test('if there are fewer images than requested, their number is shown', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  t.match(await quantise(run), { code: 0, out: /calibrated on 50 images/ });
});

t.test('--no-reduce-range uses all 8 bits of the weights', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  t.match(await quantise(run, '--no-reduce-range'), { code: 0 });
  t.equal(await largestWeight(path.join(run, 'int8.onnx')), 127);
});

t.test('--json prints one document', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  const { out } = await quantise(run, '--json');
  const file = path.join(run, 'int8.onnx');
  const int8 = { file, bytes: (await readFile(file)).byteLength, ratio: Number };
  t.match(JSON.parse(out), { int8, float16: { scoresDb: Number } });
});

t.test('two runs write the same bytes', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  const file = path.join(run, 'int8.onnx');
  await quantise(run);
  const first = await readFile(file);
  await quantise(run);
  t.ok(first.equals(await readFile(file)));
});

t.test('a run without a model gives exit code 1 and one line', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  await rm(path.join(run, 'float32.onnx'));
  t.match(await quantise(run), {
    code: 1,
    out: '',
    err: /^error: .*float32\.onnx: the run has no trained model yet: ENOENT.*\n$/,
  });
  t.strictSame(await readdir(run), ['run.json']);
});

t.test('invalid inputs write no file and keep an existing one', async (t) => {
  const root = t.testdir();
  const { run } = await writeTrainedRun(root);
  const other = await writeTinyDataset(path.join(root, 'other'), { side: 10 });
  t.match(await quantise(run, '--data', other), {
    code: 1,
    err: /^error: the model takes 8x8 gray images, but the dataset has 10x10 with 1 channels\n$/,
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
  t.match(await quantise(run), { code: 1, err: /^error: .*float32\.onnx: is already quantised/ });
  t.ok(int8.equals(await readFile(path.join(run, 'int8.onnx'))));
  t.strictSame((await readdir(run)).sort(), all);
});
