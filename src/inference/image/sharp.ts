// sharp, loaded at its first use, with all loaders of libvips blocked except those of accepted images. Only this file imports sharp.
import type { SharpConstructor } from 'sharp';
import { imageKinds } from './kinds.js';
import { shutOnce } from './loader-gate.js';

const loaders = Object.values(imageKinds).map(({ loader }) => `VipsForeignLoad${loader}Buffer`);

let loaded: Promise<SharpConstructor> | undefined;

/** Loading takes about a quarter of a second, so a thread that decodes nothing does not load it. */
export function loadSharp(): Promise<SharpConstructor> {
  loaded ??= importSharp();
  return loaded;
}

async function importSharp(): Promise<SharpConstructor> {
  const { default: sharp } = await import('sharp');
  // libvips would also load SVG, TIFF, PDF and more, whatever the name of the file is.
  shutOnce(() => {
    sharp.block({ operation: ['VipsForeignLoad'] });
    sharp.unblock({ operation: loaders });
  });
  sharp.cache(false);
  sharp.concurrency(1);
  return sharp;
}
