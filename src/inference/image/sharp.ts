// sharp, loaded at first use, with all of libvips' loaders shut but those of accepted images. The only importer of sharp.
import type { SharpConstructor } from 'sharp';
import { imageKinds } from './kinds.js';
import { shutOnce } from './loader-gate.js';

const loaders = Object.values(imageKinds).map(({ loader }) => `VipsForeignLoad${loader}Buffer`);

let loaded: Promise<SharpConstructor> | undefined;

/** Loading takes about a quarter of a second. A thread that decodes nothing does without it. */
export function loadSharp(): Promise<SharpConstructor> {
  loaded ??= importSharp();
  return loaded;
}

async function importSharp(): Promise<SharpConstructor> {
  const { default: sharp } = await import('sharp');
  // libvips loads SVG, TIFF, PDF and more, whatever a file is called.
  shutOnce(() => {
    sharp.block({ operation: ['VipsForeignLoad'] });
    sharp.unblock({ operation: loaders });
  });
  sharp.cache(false);
  sharp.concurrency(1);
  return sharp;
}
