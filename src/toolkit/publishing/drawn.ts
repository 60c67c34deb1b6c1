// a seed → drawn golden images, for datasets whose own images may not be redistributed.

import { channelCount } from '../../inference/image/channels.js';
import type { InputContract } from '../../inference/image/contract.js';
import { encodePng } from '../images/png.js';
import { createRandom, type Random } from '../random.js';
import type { Sample } from './samples.js';

const discs = 12;
const seed = 1;

/** Draws golden images. Their scores have no meaning, but another runtime, file or preprocessing still changes them. */
export async function drawnSamples(input: InputContract, count: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let n = 1; n <= count; n++) {
    const png = await encodePng(draw(input, createRandom(seed, 'drawn picture', n)), input);
    samples.push({ label: 'drawn', file: `drawn-${n}.png`, png });
  }
  return samples;
}
/** Position, radius and colour of a disc; lengths are fractions of the image's sides. */

interface Disc {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly colour: readonly number[];
}

/** Draws discs with soft edges over a gradient. Later discs cover earlier ones. */
function draw(input: InputContract, random: Random): Uint8Array {
  const { width, height } = input;
  const channels = channelCount(input);
  const colour = () => Array.from({ length: channels }, () => random.next() * 255);
  const [from, to] = [colour(), colour()];
  const drawn: Disc[] = Array.from({ length: discs }, () => ({
    x: random.next(),
    y: random.next(),
    radius: 0.05 + 0.2 * random.next(),
    colour: colour(),
  }));
  const pixels = new Uint8Array(width * height * channels);
  for (let at = 0; at < pixels.length; at++) {
    const channel = at % channels;
    const pixel = (at - channel) / channels;
    const [x, y] = [(pixel % width) / width, Math.floor(pixel / width) / height];
    const ground = mix(from[channel] ?? 0, to[channel] ?? 0, (x + y) / 2);
    pixels[at] = drawn.reduce(
      (value, disc) => mix(value, disc.colour[channel] ?? 0, cover(disc, x, y)),
      ground,
    );
  }
  return pixels;
}

/** 1 inside the disc, 0 outside, and linear over the last tenth of the radius. */
function cover({ x: left, y: top, radius }: Disc, x: number, y: number): number {
  const distance = Math.hypot(x - left, y - top) / radius;
  return Math.min(1, Math.max(0, (1 - distance) * 10));
}

function mix(from: number, to: number, part: number): number {
  return from + (to - from) * part;
}
