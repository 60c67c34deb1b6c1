// Flags for a model without a card, as in `quati publish model.onnx` → its input contract.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { channelCount } from '../inference/image/channels.js';
import type { InputContract } from '../inference/image/contract.js';
import { WrongUseError } from './errors.js';

interface SizeFlag {
  readonly width: number;
  readonly height: number;
}

export interface InputFlags {
  size?: SizeFlag;
  channels?: InputContract['channels'];
  scale?: number;
  mean?: number[];
  std?: number[];
  fit?: InputContract['fit'];
  kernel?: InputContract['kernel'];
}

/** What a model's file states about its images. A size that it leaves open has to come from `--size`. */
export interface ImageShape extends Partial<Pick<InputContract, 'width' | 'height' | 'channels'>> {
  /** A model with uint8 input takes pixels unchanged by default. */
  readonly dataType?: 'float32' | 'uint8';
}

/** Adds the flags. They have no defaults in commander, because `givenInputFlags` needs to know which ones were given. */
export function addInputFlags(command: Command): Command {
  return command
    .optionsGroup('Input of a model.onnx (a run states it):')
    .option('--size <width>x<height>', 'size of images, if the model leaves it open', imageSize)
    .addOption(
      choice('--channels <kind>', 'channels of images (default: what the model states)', kinds.channels),
    )
    .option(
      '--scale <x>',
      'factor for pixels of 0…255 (default: 1/255; 1 for a model with uint8 input)',
      factor,
    )
    .option('--mean <x,…>', 'subtracted after scaling: one number, or one per channel (default: 0)', numbers)
    .option('--std <x,…>', 'divisor after that: one number, or one per channel (default: 1)', deviations)
    .addOption(choice('--fit <kind>', 'how to fit images of other shapes (default: cover)', kinds.fit))
    .addOption(choice('--kernel <kind>', 'kernel for resizing (default: linear)', kinds.kernel))
    .optionsGroup('Options:');
}

/** Returns the names of the flags that were given. */
export function givenInputFlags(flags: InputFlags): (keyof InputFlags)[] {
  const names: (keyof InputFlags)[] = ['size', 'channels', 'scale', 'mean', 'std', 'fit', 'kernel'];
  return names.filter((name) => flags[name] !== undefined);
}

/**
 * Returns the input contract. A pixel enters as `(pixel * scale - mean[c]) / std[c]`.
 * @param where names the model in errors.
 * @throws WrongUseError if a flag contradicts the model, has a wrong number of values, or is missing.
 */
export function inputContract(flags: InputFlags, shape: ImageShape, where: string): InputContract {
  const width = agreed(flags.size?.width, shape.width, `${where}: --size: width`);
  const height = agreed(flags.size?.height, shape.height, `${where}: --size: height`);
  const channels = agreed(flags.channels, shape.channels, `${where}: --channels`);
  if (width === undefined || height === undefined)
    throw new WrongUseError(
      `${where}: the model leaves the size of images open: add --size <width>x<height>`,
    );
  if (channels === undefined)
    throw new WrongUseError(
      `${where}: the model leaves the channels of images open: add --channels gray or --channels rgb`,
    );
  const count = channelCount({ channels });
  return {
    width,
    height,
    channels,
    fit: flags.fit ?? 'cover',
    kernel: flags.kernel ?? 'linear',
    scale: flags.scale ?? (shape.dataType === 'uint8' ? 1 : 1 / 255),
    mean: perChannel(flags.mean ?? [0], count, `${where}: --mean`),
    std: perChannel(flags.std ?? [1], count, `${where}: --std`),
  };
}

function agreed<T>(flag: T | undefined, model: T | undefined, what: string): T | undefined {
  if (flag !== undefined && model !== undefined && flag !== model)
    throw new WrongUseError(`${what}: the model takes ${model}, got ${flag}`);
  return flag ?? model;
}

function perChannel(values: readonly number[], channels: number, what: string): number[] {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return new Array<number>(channels).fill(only);
  if (values.length === channels) return [...values];
  throw new WrongUseError(
    `${what}: expected ${channels === 1 ? 1 : `1 or ${channels}`} values, got ${values.length}`,
  );
}

const kinds = {
  channels: ['gray', 'rgb'] satisfies InputContract['channels'][],
  fit: ['fill', 'contain', 'cover'] satisfies InputContract['fit'][],
  kernel: [
    'nearest',
    'linear',
    'cubic',
    'mitchell',
    'lanczos2',
    'lanczos3',
  ] satisfies InputContract['kernel'][],
};

function choice(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices);
}

/** Parses `224x224`, or `224` for a square. @throws InvalidArgumentError for other text. */
function imageSize(text: string): SizeFlag {
  const match = /^(\d{1,4})(?:x(\d{1,4}))?$/.exec(text);
  const width = Number(match?.[1]);
  const height = Number(match?.[2] ?? match?.[1]);
  if (!(width >= 1 && width <= 4096 && height >= 1 && height <= 4096))
    throw new InvalidArgumentError('expected <width>x<height> of 1 to 4096 pixels, as 224x224');
  return { width, height };
}

/** Parses a number, or a fraction as `1/255`. @throws InvalidArgumentError for other text. */
function finite(text: string): number {
  const parts = text.split('/');
  const [over = Number.NaN, under = 1] = parts.map((part) =>
    part.trim() === '' ? Number.NaN : Number(part),
  );
  const value = parts.length > 2 ? Number.NaN : over / under;
  if (!Number.isFinite(value)) throw new InvalidArgumentError('expected a number, or a fraction as 1/255');
  return value;
}

function factor(text: string): number {
  const value = finite(text);
  if (value <= 0) throw new InvalidArgumentError('expected a number above 0');
  return value;
}

function numbers(text: string): number[] {
  return text.split(',').map(finite);
}

function deviations(text: string): number[] {
  return text.split(',').map(factor);
}
