// the bytes of an upload → pixels in the form of the model's input contract.
import type { Sharp, SharpConstructor, SharpOptions } from 'sharp';
import { monotonicMs } from '../clock.js';
import { DeadlineExceededError, NoInkError, UndecodableImageError } from '../errors.js';
import { channelCount } from './channels.js';
import { isSrgbProfile } from './colour-profile.js';
import type { InputContract } from './contract.js';
import { findDamage } from './damage.js';
import { applyDigitRules, hasDigitRules, type InkNeed } from './digits.js';
import { acceptedKind } from './kinds.js';
import { admitImage } from './limits.js';
import { loadSharp } from './sharp.js';
import { checkCodeGroups } from './webp-streams.js';

export interface Pixels {
  width: number;
  height: number;
  channels: 1 | 3;
  /** height x width x channels, 0…255. */
  data: Uint8Array;
}

export interface DecodeLimits extends InkNeed {
  /** Width times height of the uploaded image. */
  maxPixels: number;
  /** When decoding must end, on the clock of clock.ts. Default: a minute from now. */
  deadline?: number | undefined;
}

/** Everything that the pixels depend on, besides the file and the contract. */
export async function decoderVersion(): Promise<string> {
  const { versions } = await loadSharp();
  return `sharp ${versions.sharp}, libvips ${versions.vips}`;
}

const longestDecodeMs = 60_000;
/** In bytes. libvips misses warnings in its last rows, which are much of a small image: such a file is checked as a whole, in 1 ms. */
const smallJpeg = 16 * 1024;
/** The longest side of an image in which ink is searched: enough for a digit that is a tenth of a photo wide. */
const inkSide = 256;
const white = { r: 255, g: 255, b: 255 };
const black = { r: 0, g: 0, b: 0 };

/** All steps of decoding one image use the same values. */
interface Decoding {
  sharp: SharpConstructor;
  /** On the clock of clock.ts. */
  deadline: number;
  maxPixels: number;
  needsInk: boolean | undefined;
}

/**
 * Decodes the first frame of a PNG, JPEG, WebP or GIF. It applies the EXIF orientation, makes transparent pixels white, and converts
 * an embedded colour profile to sRGB. Then it resizes the image by `fit` and `kernel`; `contain` pads with 0. An image that has the
 * contract's size and channels keeps its values. If the contract has polarity or centre, digits.ts runs before resizing.
 * @throws EmptyImageError, UnsupportedTypeError, TooManyPixelsError, TooComplexError, UndecodableImageError, NoInkError,
 * DeadlineExceededError
 */
export async function decodeImage(
  bytes: Uint8Array,
  input: InputContract,
  limits: DecodeLimits,
): Promise<Pixels> {
  const kind = acceptedKind(bytes);
  if (kind === 'webp') checkCodeGroups(bytes);
  const sharp = await loadSharp();
  const deadline = Math.min(limits.deadline ?? Infinity, monotonicMs() + longestDecodeMs);
  const decoding = { sharp, deadline, maxPixels: limits.maxPixels, needsInk: limits.needsInk };
  const first = await tryToDecode(decoding, bytes, input, 'warning');
  const isDecoded = !(first instanceof Error);
  if (isDecoded && !(kind === 'jpeg' && bytes.length <= smallJpeg)) return first;
  checkDeadline(deadline);
  admitImage(bytes, limits);
  const damage = findDamage(toBuffer(bytes), kind, deadline);
  checkDeadline(deadline);
  if (damage === undefined) {
    // libjpeg has the same warnings for damage and for harmless oddities.
    const second = isDecoded || kind !== 'jpeg' ? first : await tryToDecode(decoding, bytes, input, 'error');
    if (!(second instanceof Error)) return second;
    checkDeadline(deadline);
  }
  const reason = damage ?? 'its data is damaged or incomplete';
  throw new UndecodableImageError(`The ${kind} image can't be decoded: ${reason}`);
}

/** A slow machine damages no image. */
function checkDeadline(deadline: number): void {
  if (monotonicMs() >= deadline)
    throw new DeadlineExceededError('The deadline passed while the image was decoded');
}

/** @throws NoInkError: such an image was decoded. */
function tryToDecode(...all: Parameters<typeof decode>): Promise<Pixels | Error> {
  return decode(...all).catch((error: Error) => {
    if (error instanceof NoInkError) throw error;
    return error;
  });
}

async function decode(
  decoding: Decoding,
  bytes: Uint8Array,
  input: InputContract,
  failOn: 'warning' | 'error',
): Promise<Pixels> {
  const { sharp, maxPixels } = decoding;
  const options: SharpOptions = { failOn, limitInputPixels: maxPixels };
  const ignoreIcc = await isSrgbAlready(sharp, bytes, options);
  const image = toUpright(sharp(bytes, { ...options, ignoreIcc }));
  const sized = hasDigitRules(input)
    ? await drawDigit(decoding, image, input)
    : toContract(decoding, image, input);
  const { data, info } = await sized.toBuffer({ resolveWithObject: true });
  const channels = channelCount(input);
  if (info.channels !== channels)
    throw new RangeError(`The image has ${info.channels} channels, expected ${channels}`);
  return { width: info.width, height: info.height, channels, data };
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The name of the part that holds a colour profile, in each format. */
const profileMarks = ['iCCP', 'ICC_PROFILE', 'ICCP'];

/**
 * libvips also converts an image whose profile is already sRGB. That takes as long as the rest of decoding, and changes only 3 of
 * 1,000 8-bit values, by one, through rounding.
 */
async function isSrgbAlready(
  sharp: SharpConstructor,
  bytes: Uint8Array,
  options: SharpOptions,
): Promise<boolean> {
  const file = toBuffer(bytes);
  if (!profileMarks.some((mark) => file.includes(mark, 0, 'latin1'))) return false;
  const { icc, depth, space } = await sharp(bytes, options).metadata();
  return icc !== undefined && depth === 'uchar' && space === 'srgb' && isSrgbProfile(icc);
}

function toUpright(image: Sharp): Sharp {
  return image.autoOrient().flatten({ background: white });
}

function toContract(
  decoding: Decoding,
  image: Sharp,
  { width, height, channels, fit, kernel }: InputContract,
): Sharp {
  return toRaw(decoding, image.resize({ width, height, fit, kernel, background: black }), channels);
}

function toRaw({ deadline }: Decoding, image: Sharp, channels: InputContract['channels']): Sharp {
  const seconds = Math.max(1, Math.ceil((deadline - monotonicMs()) / 1000));
  return image
    .toColourspace(channels === 'gray' ? 'b-w' : 'srgb')
    .timeout({ seconds })
    .raw({ depth: 'uchar' });
}

/** Applies the rules of digits.ts at the image's own size, then resizes to the contract's size if that is still needed. */
async function drawDigit(decoding: Decoding, image: Sharp, input: InputContract): Promise<Sharp> {
  const side = Math.max(inkSide, input.width, input.height);
  const bounds = { width: side, height: side, fit: 'inside', withoutEnlargement: true } as const;
  const gray = toRaw(decoding, image.resize({ ...bounds, kernel: input.kernel }), 'gray');
  const { data, info } = await gray.toBuffer({ resolveWithObject: true });
  const digit = applyDigitRules({ width: info.width, height: info.height, data }, input, decoding);
  const raw = { width: digit.width, height: digit.height, channels: 1 } as const;
  return toContract(decoding, decoding.sharp(digit.data, { raw }), input);
}
