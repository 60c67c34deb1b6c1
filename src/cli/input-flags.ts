// The flags that say how an image enters a model without a card, as in `quati publish model.onnx` → its input contract.
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

/** What the model itself says of its images; a size that it leaves free has to come from `--size`. */
export interface ImageShape extends Partial<Pick<InputContract, 'width' | 'height' | 'channels'>> {
  /** A model of bytes takes pixels as they are, unless told otherwise. */
  readonly dataType?: 'float32' | 'uint8';
}

/** A default is not commander's: whether a flag was given is told apart from what is taken without it. */
export function addInputFlags(command: Command): Command {
  return command
    .optionsGroup('How an image enters a model.onnx (a run says it by itself):')
    .option('--size <width>x<height>', 'of the image, where the model leaves it free', imageSize)
    .addOption(choice('--channels <kind>', 'default: as many as the model takes', kinds.channels))
    .option('--scale <x>', 'factor of a pixel of 0…255 (default: 1/255; 1 for a model of bytes)', factor)
    .option('--mean <x,…>', 'subtracted after that, one a channel or one for all (default: 0)', numbers)
    .option('--std <x,…>', 'divided by at last, one a channel or one for all (default: 1)', deviations)
    .addOption(choice('--fit <kind>', 'an image of another shape (default: cover)', kinds.fit))
    .addOption(choice('--kernel <kind>', 'of resizing (default: linear)', kinds.kernel))
    .optionsGroup('Options:');
}

/** The flags that were given; empty where there was none. */
export function givenInputFlags(flags: InputFlags): (keyof InputFlags)[] {
  const names: (keyof InputFlags)[] = ['size', 'channels', 'scale', 'mean', 'std', 'fit', 'kernel'];
  return names.filter((name) => flags[name] !== undefined);
}

/**
 * A pixel enters as `(pixel * scale - mean[c]) / std[c]`.
 * @param where the model, in errors.
 * @throws WrongUseError when a flag contradicts the model or another flag, or one is missing that the model needs.
 */
export function inputContract(flags: InputFlags, shape: ImageShape, where: string): InputContract {
  const width = agreed(flags.size?.width, shape.width, `${where}: --size: width`);
  const height = agreed(flags.size?.height, shape.height, `${where}: --size: height`);
  const channels = agreed(flags.channels, shape.channels, `${where}: --channels`);
  if (width === undefined || height === undefined)
    throw new WrongUseError(
      `${where}: leaves the size of images free: --size <width>x<height> has to say it`,
    );
  if (channels === undefined)
    throw new WrongUseError(
      `${where}: leaves the channels of images free: --channels gray|rgb has to say it`,
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

/** `224x224`, or `224` for a square. */
function imageSize(text: string): SizeFlag {
  const match = /^(\d{1,4})(?:x(\d{1,4}))?$/.exec(text);
  const width = Number(match?.[1]);
  const height = Number(match?.[2] ?? match?.[1]);
  if (!(width >= 1 && width <= 4096 && height >= 1 && height <= 4096))
    throw new InvalidArgumentError('expected <width>x<height> of 1 to 4096 pixels, as in 224x224');
  return { width, height };
}

/** A number, or a fraction as in `1/255`. */
function finite(text: string): number {
  const parts = text.split('/');
  const [over = Number.NaN, under = 1] = parts.map((part) =>
    part.trim() === '' ? Number.NaN : Number(part),
  );
  const value = parts.length > 2 ? Number.NaN : over / under;
  if (!Number.isFinite(value)) throw new InvalidArgumentError('expected a number, or a fraction as in 1/255');
  return value;
}

function factor(text: string): number {
  const value = finite(text);
  if (value <= 0) throw new InvalidArgumentError('expected more than 0');
  return value;
}

function numbers(text: string): number[] {
  return text.split(',').map(finite);
}

function deviations(text: string): number[] {
  return text.split(',').map(factor);
}
