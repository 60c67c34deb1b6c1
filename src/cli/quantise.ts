// quati quantise: a run's float32.onnx, or any model.onnx → int8 and float16 variants in the same folder.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { InputContract } from '../inference/image/contract.js';
import { openSession } from '../inference/workers/session.js';
import { hasIntegerForm } from '../toolkit/binary/variants.js';
import { embedExternalData } from '../toolkit/graph/external-data.js';
import { readOnnx } from '../toolkit/graph/onnx.js';
import type { CalibrationMethod } from '../toolkit/quantisation/calibrate.js';
import { calibrationBatches, calibrationSplit } from '../toolkit/quantisation/calibration-images.js';
import { QuantisationError } from '../toolkit/quantisation/errors.js';
import { declaredForm, declaredImage, statedShape } from '../toolkit/quantisation/feeds.js';
import type { Int8Options } from '../toolkit/quantisation/quantise.js';
import type { QuantisationReport } from '../toolkit/quantisation/report.js';
import { type QuantisedVariant, variants, writeVariants } from '../toolkit/quantisation/variants.js';
import { latestRun, readRun, recordCommand, runFolder } from '../toolkit/training/run/run-folder.js';
import { commandLine, positiveInteger } from './command-line.js';
import { WrongUseError } from './errors.js';
import { addInputFlags, givenInputFlags, type InputFlags, inputContract } from './input-flags.js';
import type { CliIo } from './io.js';
import { createProgress } from './progress.js';

export interface QuantiseFlags extends InputFlags {
  images: number;
  reduceRange: boolean;
  to?: QuantisedVariant[];
  calibrate?: string;
  activations?: Int8Options['activations'];
  calibration?: CalibrationMethod['kind'];
  percentile?: number;
  exclude?: string[];
  keepFloat?: number;
  seed?: number;
  skipBad?: boolean;
  out?: string;
  json?: boolean;
}

const defaultPercentile = 99.99;
const defaultSeed = 1;

const examples = `
Examples:
  $ quati quantise
  $ quati quantise runs/mnist-cnn --to int8 --images 1000 --calibration entropy
  $ quati quantise runs/mnist-cnn --keep-float 1
  $ quati quantise resnet.onnx --calibrate photos/ --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225`;

export function quantiseCommand(io: CliIo): Command {
  const command = new Command('quantise')
    .description(
      'write the int8 variant of a run or a model.onnx, calibrated on training images, and the float16 variant',
    )
    .argument('[model]', 'the folder of a run, or an ONNX classifier (default: the latest run)')
    .option('--to <variants>', `any of ${variants.join(', ')} (default: ${variants.join(',')})`, variantList)
    .option('--out <folder>', 'the folder for variants and report (default: the folder of the model)')
    .option('--json', 'print the report as JSON');
  addCalibrationFlags(command);
  return addInputFlags(addIntegerFlags(command))
    .addHelpText('after', examples)
    .action((model: string | undefined, flags: QuantiseFlags) => runQuantise(model, flags, io));
}

function addCalibrationFlags(command: Command): void {
  command
    .option(
      '--data, --calibrate <folder>',
      'a prepared dataset or a folder of images (default: the dataset of the run)',
    )
    .option('--images <n>', 'the number of training images for calibration', positiveInteger, 512)
    .addOption(
      new Option('--calibration <method>', 'how to choose ranges (default: minmax)').choices([
        'minmax',
        'percentile',
        'entropy',
      ]),
    )
    .option(
      '--percentile <p>',
      `percentage of the values that a range contains (default: ${defaultPercentile})`,
      percentile,
    )
    .option(
      '--seed <n>',
      `seed for the choice of images (default: the run’s, or ${defaultSeed})`,
      positiveInteger,
    )
    .option('--skip-bad', 'skip files of an image folder that are not images');
}

function addIntegerFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--activations <type>', 'the type of activations (default: uint8)').choices([
        'uint8',
        'int8',
      ]),
    )
    .option('--exclude <layer,…>', 'layers that stay float, by name', (text) => text.split(','))
    .option(
      '--keep-float <n>',
      'keep n layers in float: those with the largest measured loss',
      positiveInteger,
    )
    .option(
      '--no-reduce-range',
      'use all 8 bits of the weights: a little finer, but x86 without VNNI may saturate',
    );
}

/** The model to quantise, its calibration images, and the output folder. */
interface Job {
  readonly file: string;
  readonly model: Uint8Array;
  readonly folder: string;
  readonly images: string;
  readonly input: InputContract;
  readonly seed: number;
  readonly skipBad: boolean;
  readonly options: Partial<Int8Options>;
  /** The run's folder; undefined if the model does not belong to a run. */
  readonly run?: string;
}

export async function runQuantise(model: string | undefined, flags: QuantiseFlags, io: CliIo): Promise<void> {
  const calibration = calibrationOf(flags);
  const job = model?.endsWith('.onnx') ? await modelJob(model, flags) : await runJob(model, flags);
  const { file, folder, input, seed, skipBad } = job;
  const choice = { images: flags.images, seed, skipBad };
  const split = await calibrationSplit(job.images, input, choice);
  const layers = createProgress(io.stderr, { title: 'layers', total: 1, inPipe: 'nothing' });
  const options = { ...integerOptions(flags, calibration), ...job.options };
  try {
    const { report, reportFile } = await writeVariants({
      ...{ model: job.model, file, folder, to: flags.to ?? variants },
      batches: calibrationBatches(split, input, choice),
      options: { ...options, onLayer: (done, of, name) => layers.update(done / of, `${done}/${of} ${name}`) },
    });
    if (job.run !== undefined) await recordCommand(job.run, 'quantise', commandLine());
    io.stdout.write(
      flags.json ? `${JSON.stringify(report, null, 2)}\n` : describe(report, { reportFile, run: job.run }),
    );
  } finally {
    layers.stop();
  }
}

async function runJob(run: string | undefined, flags: QuantiseFlags): Promise<Job> {
  const folder = run ?? (await latestRun());
  const { recipe, dataset } = await readRun(folder);
  const [given] = givenInputFlags(flags);
  if (given !== undefined)
    throw new WrongUseError(`${folder}: --${given} is for a model.onnx; a run has its own input contract`);
  const file = runFolder(folder).variant('float32');
  const model = await readFile(file).catch((cause) => {
    throw new QuantisationError(`${file}: the run has no trained model yet: ${cause.message}`, { cause });
  });
  const isExact = recipe.binarisation && hasIntegerForm(recipe.binarisation);
  if (isExact && flags.out === undefined && (flags.to ?? variants).includes('int8'))
    throw new WrongUseError(`${folder}: training already wrote an exact int8.onnx; --to float16 keeps it`);
  const { input, seed } = recipe;
  return {
    ...{ file, model, input, options: {} },
    folder: flags.out ?? folder,
    images: flags.calibrate ?? dataset.folder,
    seed: flags.seed ?? seed,
    skipBad: flags.skipBad ?? dataset.skipBad ?? false,
    run: folder,
  };
}

async function modelJob(file: string, flags: QuantiseFlags): Promise<Job> {
  if (flags.calibrate === undefined)
    throw new WrongUseError(`${file}: calibration needs --calibrate <folder of images or dataset>`);
  const stored = await readFile(file).catch((cause) => {
    throw new QuantisationError(`${file}: cannot be read: ${cause.message}`, { cause });
  });
  const model = await embedExternalData(stored, file);
  const [first] = readOnnx(model, file).graph.inputs;
  if (!first) throw new QuantisationError(`${file}: has no input`);
  const form = declaredForm(first);
  const input = inputContract(flags, { ...declaredImage(first), dataType: form.dataType }, file);
  const [batch, ...image] = statedShape(first, input);
  return {
    ...{ file, model, input, images: flags.calibrate },
    folder: flags.out ?? path.dirname(file),
    seed: flags.seed ?? defaultSeed,
    skipBad: flags.skipBad ?? false,
    options: {
      inputShape: [(await runsBatches(model, { ...input, ...form })) ? (batch ?? 'N') : 1, ...image],
    },
  };
}

/** Some traced models run only one image, or mix the images of a batch. Their variants take one image, too. */
async function runsBatches(model: Uint8Array, input: InputContract): Promise<boolean> {
  const session = await openSession(model, { input });
  await session.release();
  return session.mostAtOnce > 1;
}

function integerOptions(flags: QuantiseFlags, calibration: CalibrationMethod): Partial<Int8Options> {
  return {
    calibration,
    weightLimit: flags.reduceRange ? 63 : 127,
    exclude: flags.exclude ?? [],
    keepFloat: flags.keepFloat ?? 0,
    ...(flags.activations && { activations: flags.activations }),
  };
}

function calibrationOf({ calibration, percentile: asked }: QuantiseFlags): CalibrationMethod {
  const kind = calibration ?? (asked === undefined ? 'minmax' : 'percentile');
  if (kind === 'percentile') return { kind, percentile: asked ?? defaultPercentile };
  if (asked !== undefined)
    throw new WrongUseError(`--percentile ${asked}: is only for --calibration percentile, not ${kind}`);
  return { kind };
}

function describe(
  { source, int8, float16 }: QuantisationReport,
  { reportFile, run }: { reportFile: string; run: string | undefined },
): string {
  const size = ({ file, bytes, ratio }: { file: string; bytes: number; ratio: number }) =>
    `${file}: ${bytes} bytes, ${ratio.toFixed(3)} of float32's ${source.bytes}`;
  const lines = [
    ...(int8 ? [`${size(int8)}, calibrated on ${int8.calibration.images} images`] : []),
    ...(float16 ? [`${size(float16)}. ${float16.note}`] : []),
    `Layer by layer: ${reportFile}`,
    ...(run === undefined ? [] : [`Next: quati evaluate ${run}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function variantList(text: string): QuantisedVariant[] {
  const known: readonly string[] = variants;
  const names = text.split(',');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`expected any of ${variants.join(', ')}, got ${unknown}`);
  return variants.filter((name) => names.includes(name));
}

function percentile(text: string): number {
  const value = Number(text);
  if (!(value > 50 && value < 100)) throw new InvalidArgumentError('expected more than 50 and less than 100');
  return value;
}
