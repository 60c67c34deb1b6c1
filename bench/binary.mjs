// npm run bench:binary: layers of ±1 as float32, as int8 and by counting bits, and whole networks, variant beside variant.
//
//   runs/lenet5 runs/lenet5-binary …   measured runs whose variants are compared (default: these two, where they are there)
//   --rounds 15 --milliseconds 40      rounds take turns, so that a noisy machine is noisy for all
//   --out file.md
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median } from 'simple-statistics';
import { loadRuntime } from '../dist/inference/workers/runtime.js';
import { packRows, packWindows, xnorProduct } from '../dist/toolkit/binary/xnor.js';
import { GraphBuilder } from '../dist/toolkit/graph/builder.js';
import { encodeOnnx } from '../dist/toolkit/graph/onnx.js';
import { float32Tensor, int8Tensor } from '../dist/toolkit/graph/tensor-data.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '15' },
    milliseconds: { type: 'string', default: '40' },
    out: { type: 'string' },
  },
});
const rounds = Number(flags.rounds);
const milliseconds = Number(flags.milliseconds);
const runs = positionals.length > 0 ? positionals : ['runs/lenet5', 'runs/lenet5-binary'].filter(existsSync);
const { InferenceSession, Tensor } = await loadRuntime();

/** The layers of LeNet-5 that signs enter; pixels are bytes, so the first has no such form. */
const layers = [
  { name: 'conv2 16@5x5', input: [6, 14, 14], weight: [16, 6, 5, 5] },
  { name: 'dense1 400 → 120', input: [400], weight: [120, 400] },
  { name: 'dense2 120 → 84', input: [120], weight: [84, 120] },
  { name: 'dense3 84 → 10', input: [84], weight: [10, 84] },
];
const batches = [1, 32];

const layerRows = [];
for (const layer of layers) for (const batch of batches) layerRows.push(await measureLayer(layer, batch));
const networkRows = [];
for (const batch of batches) networkRows.push(...(await measureNetworks(batch)));
report();

async function measureLayer({ name, input, weight }, batch) {
  const size = product(input);
  const x = Float32Array.from({ length: batch * size }, randomSign);
  const w = Float32Array.from({ length: product(weight) }, randomSign);
  const isConv = weight.length === 4;
  const weightRows = packRows(w, weight[0]);
  const pack = () => (isConv ? packWindows(x, [batch, ...input], weight[2]) : packRows(x, batch));
  const packed = pack();
  const feeds = {
    float32: new Tensor('float32', x, [batch, ...input]),
    int8: new Tensor(
      'uint8',
      Uint8Array.from(x, (value) => (value + 1) / 2),
      [batch, ...input],
    ),
  };
  const [float32, int8] = [
    await openLayer('float32', input, weight, w, batch),
    await openLayer('int8', input, weight, w, batch),
  ];
  const times = await alternate({
    float32: () => float32.run({ x: feeds.float32 }),
    int8: () => int8.run({ x: feeds.int8 }),
    'packing bits': pack,
    'counting bits': () => xnorProduct(packed, weightRows),
  });
  return { name, batch, ...perImage(times, batch) };
}

/** One operator, its weights constant. */
async function openLayer(kind, input, weight, w, batch) {
  const builder = new GraphBuilder(kind);
  const isFloat = kind === 'float32';
  const x = builder.input('x', [batch, ...input], isFloat ? 'float32' : 'uint8');
  const [outputs, inputs] = weight;
  if (weight.length === 4) {
    const filters = builder.initializer('w', isFloat ? float32Tensor(w, weight) : int8Tensor(w, weight));
    builder.output(builder.op(isFloat ? 'Conv' : 'ConvInteger', [x, filters]), 'y');
  } else if (isFloat) {
    const matrix = builder.initializer('w', float32Tensor(w, weight));
    builder.output(builder.op('Gemm', [x, matrix], { transB: { int: 1 } }), 'y');
  } else {
    const turned = w.map((_, i) => w[(i % outputs) * inputs + Math.floor(i / outputs)]);
    const matrix = builder.initializer('w', int8Tensor(turned, [inputs, outputs]));
    builder.output(builder.op('MatMulInteger', [x, matrix]), 'y');
  }
  return open(encodeOnnx(builder.build()));
}

async function measureNetworks(batch) {
  const found = runs.flatMap((run) => {
    const { variants } = JSON.parse(readFileSync(path.join(run, 'evaluation.json'), 'utf8'));
    const { recipe, parameters } = JSON.parse(readFileSync(path.join(run, 'run.json'), 'utf8'));
    return Object.entries(variants).map(([variant, { accuracy, bytes }]) => ({
      network: path.basename(run),
      variant,
      accuracy,
      bytes,
      parameters,
      input: recipe.architecture.input,
      file: path.join(run, `${variant}.onnx`),
    }));
  });
  const contenders = {};
  for (const { file, input } of found) {
    const session = await open(readFileSync(file));
    const shape = [batch, input.channels, input.height, input.width];
    const image = new Tensor('float32', Float32Array.from({ length: product(shape) }, Math.random), shape);
    contenders[file] = () => session.run({ [session.inputNames[0]]: image });
  }
  const times = perImage(await alternate(contenders), batch);
  return found.map((row) => ({ ...row, batch, microseconds: times[row.file] }));
}

function open(model) {
  return InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
}

/** Medians over the rounds of the microseconds that a call takes. */
async function alternate(contenders) {
  const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const began = performance.now();
      let calls = 0;
      while (performance.now() - began < milliseconds) {
        await run();
        calls += 1;
      }
      // The first round warms up.
      if (round > 0) times[name].push((1000 * (performance.now() - began)) / calls);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]));
}

function perImage(times, batch) {
  return Object.fromEntries(Object.entries(times).map(([name, time]) => [name, time / batch]));
}

function product(values) {
  return values.reduce((a, b) => a * b, 1);
}

function randomSign() {
  return Math.random() < 0.5 ? -1 : 1;
}

function report() {
  const text = [
    '# Speed of ±1',
    `Microseconds an image, one thread, medians of ${rounds} alternated rounds of ${milliseconds} ms; ${cpus()[0]?.model ?? 'unknown CPU'}.`,
    'Made by `npm run bench:binary`.',
    'float32 and int8 are one operator in ONNX Runtime, called from Node: at batch 1 the call itself is most of it. Counting bits is' +
      '\nTypeScript without vector instructions, and no call; packing makes bits of the signs that the layer before left as numbers.',
    table([
      ['layer', 'batch', 'float32', 'int8', 'packing bits', 'counting bits'],
      ...layerRows.map((row) => [
        row.name,
        row.batch,
        ...['float32', 'int8', 'packing bits', 'counting bits'].map((name) => row[name].toFixed(1)),
      ]),
    ]),
    ...(runs.length > 0 ? ['## Whole networks', networksTable()] : []),
  ].join('\n\n');
  process.stdout.write(`${text}\n`);
  if (flags.out) writeFileSync(flags.out, `${text}\n`);
}

function networksTable() {
  const [single, batched] = batches.map((size) => networkRows.filter(({ batch }) => batch === size));
  return table([
    ['network', 'variant', 'test accuracy', 'bytes', 'bytes a parameter', 'batch 1', 'batch 32'],
    ...single.map((row, i) => [
      row.network,
      row.variant,
      `${(100 * row.accuracy).toFixed(2)} %`,
      row.bytes.toLocaleString('en'),
      (row.bytes / row.parameters).toFixed(2),
      row.microseconds.toFixed(1),
      batched[i].microseconds.toFixed(1),
    ]),
  ]);
}

function table([header, ...rows]) {
  const rule = header.map((_, i) => (i === 0 ? '---' : '---:'));
  return [header, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
