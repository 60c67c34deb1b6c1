// The flags of `quati train --backbone`, and the model file → a recipe.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { channelCount } from '../inference/image/channels.js';
import type { InputContract } from '../inference/image/contract.js';
import { embedExternalData } from '../toolkit/graph/external-data.js';
import { findContract } from '../toolkit/training/backbone/contracts.js';
import { BackboneError } from '../toolkit/training/backbone/errors.js';
import { type LoadedBackbone, loadBackbone } from '../toolkit/training/backbone/load.js';
import { type PreparedBackbone, prepareBackbone } from '../toolkit/training/backbone/prepare.js';
import { kindsOf } from '../toolkit/training/recipe/kinds.js';
import { defaultLoss, HeadSettings, Loss } from '../toolkit/training/recipe/settings.js';
import { positiveInteger } from './command-line.js';
import { WrongUseError } from './errors.js';
import { addInputFlags, givenInputFlags, type InputFlags, inputContract } from './input-flags.js';
import type { CliIo } from './io.js';
import { valueHelp } from './recipe-flags.js';

export interface BackboneFlags extends InputFlags {
  backbone?: string;
  features?: string;
  fineTune?: number;
  headEpochs?: number;
  headLearningRate?: number;
  views?: number;
  loss?: Loss['kind'];
  epochs?: number;
  title?: string;
}

export function addBackboneFlags(command: Command): void {
  const { epochs, learningRate, views } = HeadSettings.properties;
  command
    .optionsGroup('A pretrained backbone in place of a recipe:')
    .option(
      '--backbone <model.onnx>',
      'a float32 classifier: its last layer is replaced by one for your labels',
    )
    .option('--features <name>', 'the value to cut it at (default: the input of its last layer)')
    .option(
      '--fine-tune <layers>',
      'layers to train after the head: all, none, or the last n (default: all)',
      layers,
    )
    .option('--head-epochs <n>', valueHelp(epochs), positiveInteger)
    .option('--head-learning-rate <x>', valueHelp(learningRate), positive)
    .option('--views <n>', valueHelp(views), positiveInteger)
    .addOption(
      new Option(
        '--loss <kind>',
        `sigmoid: one output for two labels (default: ${defaultLoss.kind})`,
      ).choices(kindsOf(Loss)),
    )
    .option('--title <text>', 'the title of the model’s card');
  addInputFlags(command);
}

const ownFlags = [
  'features',
  'fineTune',
  'headEpochs',
  'headLearningRate',
  'views',
  'loss',
  'title',
] as const;

/** @throws WrongUseError when a backbone's flag is given without --backbone, or in a resumed run. */
export function checkBackboneFlags(flags: BackboneFlags, resumes: boolean): void {
  const given = [...ownFlags.filter((name) => flags[name] !== undefined), ...givenInputFlags(flags)];
  const [first] = given;
  if (first === undefined) return;
  const flag = `--${first.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (flags.backbone === undefined) throw new WrongUseError(`${flag} needs --backbone`);
  if (resumes) throw new WrongUseError(`${flag} cannot change in a resumed run; --force starts a new one`);
}

export function backboneName(file: string): string {
  return path.basename(file).replace(/\.onnx$/i, '');
}

/** @throws WrongUseError when neither flags nor the table of known backbones give its input contract. */
export async function recipeOnBackbone(
  file: string,
  dataset: string,
  flags: BackboneFlags,
  io: CliIo,
): Promise<PreparedBackbone> {
  const stored = await readFile(file).catch((cause: Error) => {
    throw new BackboneError(`${file}: cannot be read: ${cause.message}`, { cause });
  });
  const bytes = await embedExternalData(stored, file);
  const channels = flags.channels === undefined ? undefined : channelCount({ channels: flags.channels });
  const loaded = await loadBackbone(bytes, file, { size: flags.size, channels });
  const input = contractOf(file, loaded, flags, io);
  const { features, fineTune, loss } = flags;
  const prepared = await prepareBackbone(bytes, loaded, {
    name: backboneName(file),
    title: flags.title ?? `${dataset}, on ${backboneName(file)}`,
    dataset,
    input,
    ...(features !== undefined && { features }),
    ...(fineTune !== undefined && { fineTune }),
    ...(loss !== undefined && { loss }),
    ...(flags.epochs !== undefined && { epochs: flags.epochs }),
    head: {
      ...(flags.headEpochs !== undefined && { epochs: flags.headEpochs }),
      ...(flags.headLearningRate !== undefined && { learningRate: flags.headLearningRate }),
      ...(flags.views !== undefined && { views: flags.views }),
    },
  });
  if (prepared.note !== undefined) io.stderr.write(`${prepared.note}\n`);
  return prepared;
}

function contractOf(file: string, loaded: LoadedBackbone, flags: BackboneFlags, io: CliIo): InputContract {
  const known = findContract(path.basename(file));
  const isStated = flags.scale !== undefined || flags.mean !== undefined || flags.std !== undefined;
  if (known === undefined && !isStated)
    throw new WrongUseError(
      `${file}: its name does not imply how its pixels are scaled: give --scale, --mean and --std ` +
        '(for ImageNet: --scale 1/255 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225)',
    );
  if (known !== undefined && !isStated)
    io.stderr.write(
      `${file}: uses the pixel values of ${known.name}; --scale, --mean and --std change them\n`,
    );
  const side = known && { width: known.side, height: known.side };
  const size = loaded.size ?? (flags.size === undefined ? side : undefined);
  const pixels = known !== undefined && !isStated ? known.pixels : {};
  return inputContract(
    { ...pixels, ...flags },
    { ...size, channels: loaded.channels === 1 ? 'gray' : 'rgb' },
    file,
  );
}

function layers(text: string): number {
  if (text === 'all') return Number.POSITIVE_INFINITY;
  if (text === 'none' || text === '0') return 0;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0)
    throw new InvalidArgumentError('expected all, none or a number of layers');
  return count;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('expected a positive number');
  return value;
}
