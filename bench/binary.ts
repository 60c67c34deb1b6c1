// npm run bench:binary: layers of ±1 as float32, as int8 and by counting bits, and whole networks with their variants.
//
//   runs/lenet5 runs/lenet5-binary …   measured runs whose variants are compared (default: these two, if they exist)
//   --rounds 15 --milliseconds 40      the contenders alternate in each round, so that other load affects all of them
//   --out file.md
import { existsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median } from 'simple-statistics';
import { loadRuntime } from '#dist/inference/workers/runtime.js';
import { packRows, packWindows, xnorProduct } from '#dist/toolkit/binary/xnor.js';
import { readReport } from '#dist/toolkit/evaluation/report.js';
import { GraphBuilder } from '#dist/toolkit/graph/builder.js';
import { encodeOnnx } from '#dist/toolkit/graph/onnx.js';
import { float32Tensor, int8Tensor } from '#dist/toolkit/graph/tensor-data.js';
import { readRun } from '#dist/toolkit/training/run/run-folder.js';

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

/** A layer of LeNet-5. Its inputs and weights are [C, H, W] and [K, C, H, W], or [I] and [O, I]. */
type Layer = { name: string } & (
  | { kind: 'conv'; input: [number, number, number]; weight: [number, number, number, number] }
  | { kind: 'dense'; input: [number]; weight: [number, number] }
);

/** The forms in which each layer is measured. */
const forms = ['float32', 'int8', 'packing bits', 'counting bits'] as const;
type Form = (typeof forms)[number];

/** Microseconds per image. */
type Times<Name extends string> = Record<Name, number>;

interface NetworkRow {
  network: string;
  variant: string;
  accuracy: number;
  bytes: number;
  parameters: number;
  batch: number;
  microseconds: number;
}

/** The layers with signs as input. The first layer has none of these forms, because pixels are bytes. */
const layers: Layer[] = [
  { kind: 'conv', name: 'conv2 16@5x5', input: [6, 14, 14], weight: [16, 6, 5, 5] },
  { kind: 'dense', name: 'dense1 400 → 120', input: [400], weight: [120, 400] },
  { kind: 'dense', name: 'dense2 120 → 84', input: [120], weight: [84, 120] },
  { kind: 'dense', name: 'dense3 84 → 10', input: [84], weight: [10, 84] },
];
const batches = [1, 32];

const layerRows: { name: string; batch: number; times: Times<Form> }[] = [];
for (const layer of layers)
  for (const batch of batches)
    layerRows.push({ name: layer.name, batch, times: await measureLayer(layer, batch) });
const networkRows: NetworkRow[] = [];
for (const batch of batches) networkRows.push(...(await measureNetworks(batch)));
const text = describe();
process.stdout.write(text);
if (flags.out) writeFileSync(flags.out, text);

async function measureLayer(layer: Layer, batch: number): Promise<Times<Form>> {
  const { input, weight } = layer;
  const shape = [batch, ...input];
  const x = Float32Array.from({ length: product(shape) }, randomSign);
  const w = Float32Array.from({ length: product(weight) }, randomSign);
  const weightRows = packRows(w, weight[0]);
  const pack = () =>
    layer.kind === 'conv' ? packWindows(x, [batch, ...layer.input], layer.weight[2]) : packRows(x, batch);
  const packed = pack();
  const bytes = Uint8Array.from(x, (value) => (value + 1) / 2);
  const feeds = { float32: new Tensor('float32', x, shape), int8: new Tensor('uint8', bytes, shape) };
  const float32 = await openLayer('float32', layer, w, batch);
  const int8 = await openLayer('int8', layer, w, batch);
  const contenders: Record<Form, () => unknown> = {
    float32: () => float32.run({ x: feeds.float32 }),
    int8: () => int8.run({ x: feeds.int8 }),
    'packing bits': pack,
    'counting bits': () => xnorProduct(packed, weightRows),
  };
  return await alternate(contenders, batch);
}

/** Builds a graph of one operator with constant weights. */
async function openLayer(form: 'float32' | 'int8', layer: Layer, w: Float32Array, batch: number) {
  const builder = new GraphBuilder(form);
  const isFloat = form === 'float32';
  const x = builder.input('x', [batch, ...layer.input], isFloat ? 'float32' : 'uint8');
  if (layer.kind === 'conv') {
    const filters = builder.initializer(
      'w',
      isFloat ? float32Tensor(w, layer.weight) : int8Tensor(w, layer.weight),
    );
    builder.output(builder.op(isFloat ? 'Conv' : 'ConvInteger', [x, filters]), 'y');
  } else if (isFloat) {
    const matrix = builder.initializer('w', float32Tensor(w, layer.weight));
    builder.output(builder.op('Gemm', [x, matrix], { transB: { int: 1 } }), 'y');
  } else {
    const [outputs, inputs] = layer.weight;
    const turned = w.map((_, i) => w[(i % outputs) * inputs + Math.floor(i / outputs)] ?? Number.NaN);
    const matrix = builder.initializer('w', int8Tensor(turned, [inputs, outputs]));
    builder.output(builder.op('MatMulInteger', [x, matrix]), 'y');
  }
  return await open(encodeOnnx(builder.build()));
}

async function measureNetworks(batch: number): Promise<NetworkRow[]> {
  const contenders: Record<string, () => unknown> = {};
  const rows: Omit<NetworkRow, 'microseconds'>[] = [];
  for (const run of runs) {
    const { recipe, parameters } = await readRun(run);
    const { channels, height, width } = recipe.architecture.input;
    const shape = [batch, channels, height, width];
    const image = new Tensor('float32', Float32Array.from({ length: product(shape) }, Math.random), shape);
    for (const [variant, { accuracy, bytes }] of Object.entries((await readReport(run)).variants)) {
      const session = await open(await readFile(path.join(run, `${variant}.onnx`)));
      const [input = ''] = session.inputNames;
      const network = path.basename(run);
      contenders[`${network} ${variant}`] = () => session.run({ [input]: image });
      rows.push({ network, variant, accuracy, bytes, parameters, batch });
    }
  }
  const times = await alternate(contenders, batch);
  return rows.map((row) => ({
    ...row,
    microseconds: times[`${row.network} ${row.variant}`] ?? Number.NaN,
  }));
}

function open(model: Uint8Array) {
  return InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
}

/** @returns the median over the rounds of the microseconds per image. */
async function alternate<Name extends string>(
  contenders: Record<Name, () => unknown>,
  batch: number,
): Promise<Times<Name>> {
  const entries = Object.entries(contenders) as [Name, () => unknown][];
  const times = entries.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, [, run]] of entries.entries()) {
      const began = performance.now();
      let calls = 0;
      while (performance.now() - began < milliseconds) {
        await run();
        calls += 1;
      }
      // The first round warms up.
      if (round > 0) times[i]?.push((1000 * (performance.now() - began)) / calls / batch);
    }
  }
  return Object.fromEntries(entries.map(([name], i) => [name, median(times[i] ?? [])])) as Times<Name>;
}

function product(values: readonly number[]): number {
  return values.reduce((a, b) => a * b, 1);
}

function randomSign(): number {
  return Math.random() < 0.5 ? -1 : 1;
}

function describe(): string {
  const rows = layerRows.map(({ name, batch, times }) => [
    name,
    batch,
    ...forms.map((form) => times[form].toFixed(1)),
  ]);
  const parts = [
    '# Speed of ±1',
    `Microseconds per image, one thread, medians of ${rounds} alternated rounds of ${milliseconds} ms; ${cpus()[0]?.model ?? 'unknown CPU'}.`,
    'Made by `npm run bench:binary`.',
    'float32 and int8 are one operator in ONNX Runtime, called from Node: at batch 1 the call itself takes most of the time. Counting bits is' +
      '\nTypeScript without vector instructions, and no call. Packing turns the signs, which the layer before left as numbers, into bits.',
    table(['layer', 'batch', ...forms], rows),
    ...(runs.length > 0 ? ['## Whole networks', networksTable()] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

function networksTable(): string {
  const [single = [], batched = []] = batches.map((size) =>
    networkRows.filter(({ batch }) => batch === size),
  );
  const header = [
    'network',
    'variant',
    'test accuracy',
    'bytes',
    'bytes per parameter',
    'batch 1',
    'batch 32',
  ];
  const rows = single.map((row, i) => [
    row.network,
    row.variant,
    `${(100 * row.accuracy).toFixed(2)} %`,
    row.bytes.toLocaleString('en'),
    (row.bytes / row.parameters).toFixed(2),
    row.microseconds.toFixed(1),
    batched[i]?.microseconds.toFixed(1),
  ]);
  return table(header, rows);
}

function table(header: readonly string[], rows: readonly unknown[][]): string {
  const rule = header.map((_, i) => (i === 0 ? '---' : '---:'));
  return [header, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
