// Drawn digits for the ink rules: a seven of two strokes at any size and place, and images of its kind as MNIST holds them.
import type { GrayImage } from '../../src/inference/image/gray-image.js';

export interface Placed {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  /** Of the seven, in pixels; its width is 0.6 of that, its strokes 0.15. */
  readonly size: number;
  /** Grey of the ground at a place, and of the ink there. */
  readonly ground?: (x: number, y: number) => number;
  readonly ink?: (x: number, y: number) => number;
}

export function drawSeven({ width, height, left, top, size, ground, ink }: Placed): GrayImage {
  const data = new Uint8Array(width * height);
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const isInk = isSeven((x + 0.5 - left) / size, (y + 0.5 - top) / size);
    data[i] = Math.round(isInk ? (ink?.(x, y) ?? 255) : (ground?.(x, y) ?? 0));
  }
  return { width, height, data };
}

/** The bar on top, and a stem that leans from its right end to the foot. */
function isSeven(x: number, y: number): boolean {
  if (x < 0 || x > 0.6 || y < 0 || y > 1) return false;
  return y < 0.15 || Math.abs(x - (0.52 - 0.35 * y)) < 0.08;
}

export function boxOf({ width, data }: GrayImage, level = 128): { width: number; height: number } {
  const inked = [...data.keys()].filter((i) => (data[i] ?? 0) >= level);
  const [columns, rows] = [inked.map((i) => i % width), inked.map((i) => Math.floor(i / width))];
  return {
    width: Math.max(...columns) - Math.min(...columns) + 1,
    height: Math.max(...rows) - Math.min(...rows) + 1,
  };
}

export function massCentre({ width, data }: GrayImage): [number, number] {
  const mass = data.reduce((sum, value) => sum + value, 0);
  const across = data.reduce((sum, value, i) => sum + value * (i % width), 0);
  const down = data.reduce((sum, value, i) => sum + value * Math.floor(i / width), 0);
  return [across / mass, down / mass];
}

export function meanDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}
