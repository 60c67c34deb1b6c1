// The input flags for a model without a card, for example in `quati publish model.onnx` → its input contract.
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

/** The facts about images that are in the model. A dynamic size must come from `--size`. */
export interface ImageShape extends Partial<Pick<InputContract, 'width' | 'height' | 'channels'>> {
  /** A model with byte input takes pixels unchanged unless a flag says otherwise. */
  readonly dataType?: 'float32' | 'uint8';
}

/** Commander gets no defaults, so that a given flag differs from a default value. */
export function addInputFlags(command: Command): Command {
  return command
    .optionsGroup('How an image enters a model.onnx (a run says it by itself):')
    .option('--size <width>x<height>', 'the size of the image, if the model’s is dynamic', imageSize)
    .addOption(
      choice('--channels <kind>', 'the channels of the image (default: the model’s)', kinds.channels),
    )
    .option('--scale <x>', 'multiplies a pixel of 0…255 (default: 1/255; 1 for byte input)', factor)
    .option('--mean <x,…>', 'then subtracted, one per channel or one for all (default: 0)', numbers)
    .option('--std <x,…>', 'divides the result, one per channel or one for all (default: 1)', deviations)
    .addOption(choice('--fit <kind>', 'how to resize an image of another shape (default: cover)', kinds.fit))
    .addOption(choice('--kernel <kind>', 'the kernel for resizing (default: linear)', kinds.kernel))
    .optionsGroup('Options:');
}

/** The flags that were given; empty if there were none. */
export function givenInputFlags(flags: InputFlags): (keyof InputFlags)[] {
  const names: (keyof InputFlags)[] = ['size', 'channels', 'scale', 'mean', 'std', 'fit', 'kernel'];
  return names.filter((name) => flags[name] !== undefined);
}

/**
 * The model receives each pixel as `(pixel * scale - mean[c]) / std[c]`.
 * @param where names the model in errors.
 * @throws WrongUseError when a flag contradicts the model or another flag, or when a flag that the model needs is missing.
 */
export function inputContract(flags: InputFlags, shape: ImageShape, where: string): InputContract {
  const width = agreed(flags.size?.width, shape.width, `${where}: --size: width`);
  const height = agreed(flags.size?.height, shape.height, `${where}: --size: height`);
  const channels = agreed(flags.channels, shape.channels, `${where}: --channels`);
  if (width === undefined || height === undefined)
    throw new WrongUseError(`${where}: the size of its images is dynamic: give --size <width>x<height>`);
  if (channels === undefined)
    throw new WrongUseError(`${where}: the channels of its images are dynamic: give --channels gray|rgb`);
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
    throw new InvalidArgumentError('expected <width>x<height> of 1 to 4096 pixels, such as 224x224');
  return { width, height };
}

/** A number, or a fraction such as `1/255`. */
function finite(text: string): number {
  const parts = text.split('/');
  const [over = Number.NaN, under = 1] = parts.map((part) =>
    part.trim() === '' ? Number.NaN : Number(part),
  );
  const value = parts.length > 2 ? Number.NaN : over / under;
  if (!Number.isFinite(value))
    throw new InvalidArgumentError('expected a number, or a fraction such as 1/255');
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
