// quati quantise: a run's float32.onnx to int8.onnx beside it.
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { loadDataset } from '../toolkit/datasets/dataset.js';
import { writeFileAtomic } from '../toolkit/files.js';
import { calibrationBatches } from '../toolkit/quantisation/calibration-images.js';
import { QuantisationError } from '../toolkit/quantisation/errors.js';
import { defaultInt8Options, quantiseToInt8 } from '../toolkit/quantisation/quantise.js';
import { latestRun, readRun, recordCommand, runFolder } from '../toolkit/training/run.js';
import { commandLine, positiveInteger } from './command-line.js';
import type { CliIo } from './io.js';

interface QuantiseFlags {
  images: number;
  data?: string;
  reduceRange: boolean;
  json?: boolean;
}

export function quantiseCommand(io: CliIo): Command {
  return new Command('quantise')
    .description('write the static int8 variant of a run, calibrated on training images')
    .argument('[run]', 'the folder of the run (default: the latest)')
    .option('--images <n>', 'training images to calibrate on', positiveInteger, 512)
    .option('--data <folder>', 'the prepared dataset (default: the one of the run)')
    .option(
      '--no-reduce-range',
      'use all 8 bits of the weights: a little finer, but x86 without VNNI may saturate',
    )
    .option('--json', 'print what was written as JSON')
    .addHelpText('after', '\nExamples:\n  $ quati quantise\n  $ quati quantise runs/mnist-cnn --images 1000')
    .action((run: string | undefined, flags: QuantiseFlags) => runQuantise(run, flags, io));
}

export async function runQuantise(run: string | undefined, flags: QuantiseFlags, io: CliIo): Promise<void> {
  const folder = run ?? (await latestRun());
  const { recipe, dataset } = await readRun(folder);
  const { variant } = runFolder(folder);
  const { train } = await loadDataset(flags.data ?? dataset.folder, {
    input: recipe.input,
    skipBad: dataset.skipBad,
  });
  const model = await readFile(variant('float32')).catch((cause) => {
    throw new QuantisationError(`${variant('float32')}: there is no trained model yet: ${cause.message}`, {
      cause,
    });
  });
  const options = flags.reduceRange ? defaultInt8Options : { weightLimit: 127 as const };
  const batches = calibrationBatches(train, recipe.input, { images: flags.images, seed: recipe.seed });
  const int8 = await quantiseToInt8(model, variant('float32'), batches, options);
  await writeFileAtomic(variant('int8'), int8);
  await recordCommand(folder, 'quantise', commandLine());
  const ratio = int8.byteLength / model.byteLength;
  io.stdout.write(
    flags.json
      ? `${JSON.stringify({ file: variant('int8'), bytes: int8.byteLength, float32Bytes: model.byteLength, ratio })}\n`
      : `${variant('int8')}: ${int8.byteLength} bytes, ${ratio.toFixed(3)} of float32's ${model.byteLength}, ` +
          `calibrated on ${Math.min(flags.images, train.count)} images\nNext: quati evaluate ${folder}\n`,
  );
}
