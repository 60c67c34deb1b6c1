// a gray image of a drawing → the amount of ink on each pixel, without the background, and the box of the ink.
import { estimateBackground } from './background.js';
import type { Box, GrayImage } from './gray-image.js';

export interface Ink {
  /** height x width, from 0 (background) to 1 (ink). */
  readonly amount: Float32Array;
  readonly box: Box;
}

const levels = 256;
/** Contrast is scaled by the distance from the background to white, but by no less than this. */
const darkest = 64;
/** A piece smaller than this fraction of the largest one is dust, not a stroke. */
const speck = 0.04;

/**
 * Finds light strokes on a dark background, which may be lit unevenly. The contrast of a pixel is `255 (v - g) / (255 - g)`, with its
 * value v and the background g. A threshold midway between the means of both sides separates ink from background (Ridler and Calvard,
 * 1978). Connected pixels above it are ink, unless their piece is a speck.
 * @returns undefined if no pixel has enough contrast.
 */
export function findInk(image: GrayImage): Ink | undefined {
  const { width, height } = image;
  const { contrast, noise } = groundRemoved(image, estimateBackground(image));
  const histogram = new Uint32Array(levels);
  for (const value of contrast) histogram[value] = (histogram[value] ?? 0) + 1;
  const strongest = strongestLevel(histogram, contrast.length);
  if (strongest < Math.max(24, 6 * noise)) return undefined;
  const threshold = splitLevel(histogram, strongest / 2);
  const kept = strokes(contrast, width, threshold);
  const full = levelOf(histogram, threshold, 0.8);
  const empty = Math.min(2.5 * noise, threshold / 2);
  const amount = new Float32Array(contrast.length);
  for (let i = 0; i < amount.length; i++)
    if (kept[i] !== dropped)
      amount[i] = Math.min(1, Math.max(0, ((contrast[i] ?? 0) - empty) / (full - empty)));
  return { amount, box: boxOf(kept, width, height) };
}

/** The noise is `1.4826 · median |v - g|` of the pixels below the background, because ink is never below it. */
function groundRemoved({ data }: GrayImage, light: Float32Array): { contrast: Uint8Array; noise: number } {
  const contrast = new Uint8Array(data.length);
  const below = new Uint32Array(levels);
  for (let i = 0; i < data.length; i++) {
    const ground = Math.min(255, Math.max(0, light[i] ?? 0));
    const stretched = Math.round((255 * ((data[i] ?? 0) - ground)) / Math.max(darkest, 255 - ground));
    contrast[i] = Math.min(255, Math.max(0, stretched));
    if (stretched < 0) below[Math.min(255, -stretched)] = (below[Math.min(255, -stretched)] ?? 0) + 1;
  }
  return { contrast, noise: Math.max(1, 1.4826 * levelOf(below, 0, 0.5)) };
}

/** The level that 1 pixel in 2,000 reaches, but at least 3 pixels. */
function strongestLevel(histogram: Uint32Array, pixels: number): number {
  let left = Math.max(3, pixels / 2000);
  let level = levels;
  while (level > 0 && left > 0) left -= histogram[--level] ?? 0;
  return level;
}

function splitLevel(histogram: Uint32Array, start: number): number {
  let threshold = start;
  for (let round = 0; round < 16; round++) {
    const next = (meanOf(histogram, 0, threshold) + meanOf(histogram, threshold, levels)) / 2;
    if (Math.abs(next - threshold) < 0.5) break;
    threshold = next;
  }
  return threshold;
}

function meanOf(histogram: Uint32Array, from: number, to: number): number {
  let [sum, count] = [0, 0];
  for (let level = Math.ceil(from); level < to; level++) {
    sum += level * (histogram[level] ?? 0);
    count += histogram[level] ?? 0;
  }
  return count === 0 ? from : sum / count;
}

/** The quantile `part` of the levels of all pixels that have at least level `from`. */
function levelOf(histogram: Uint32Array, from: number, part: number): number {
  const first = Math.ceil(from);
  const total = histogram.subarray(first).reduce((sum, count) => sum + count, 0);
  let left = total * part;
  let level = first;
  while (level < levels - 1 && left > (histogram[level] ?? 0)) left -= histogram[level++] ?? 0;
  return level;
}

const ground = 0;
const dropped = 1;

/** Labels the connected pieces of pixels that reach the threshold (8 neighbours): specks become `dropped`, the others 2, 3, … */
function strokes(contrast: Uint8Array, width: number, threshold: number): Int32Array {
  const labels = new Int32Array(contrast.length);
  const areas = [0, 0];
  for (let i = 0; i < contrast.length; i++)
    if (labels[i] === ground && (contrast[i] ?? 0) >= threshold)
      areas.push(fillPiece(contrast, labels, { start: i, label: areas.length, width, threshold }));
  const least = speck * areas.reduce((most, area) => Math.max(most, area), 0);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] ?? ground;
    if (label !== ground && (areas[label] ?? 0) < least) labels[i] = dropped;
  }
  return labels;
}

interface Fill {
  readonly start: number;
  readonly label: number;
  readonly width: number;
  readonly threshold: number;
}

/** @returns the number of pixels in the piece. */
function fillPiece(
  contrast: Uint8Array,
  labels: Int32Array,
  { start, label, width, threshold }: Fill,
): number {
  const waiting = [start];
  labels[start] = label;
  let area = 0;
  for (let i = waiting.pop(); i !== undefined; i = waiting.pop()) {
    area++;
    const column = i % width;
    const first = column > 0 ? -1 : 0;
    const last = column < width - 1 ? 1 : 0;
    for (let row = i - width; row <= i + width; row += width)
      for (let j = row + first; j <= row + last; j++)
        if (labels[j] === ground && (contrast[j] ?? 0) >= threshold) {
          labels[j] = label;
          waiting.push(j);
        }
  }
  return area;
}

function boxOf(kept: Int32Array, width: number, height: number): Box {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      if ((kept[i] ?? ground) <= dropped) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    }
  return { left, top, right, bottom };
}
