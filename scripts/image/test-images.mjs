// a model's card → images that it was not trained on, as files, and a sentence that tells where they are from.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { loadDataset } from '../../dist/toolkit/datasets/load.js';
import { encodePng } from '../../dist/toolkit/images/png.js';
import { createRandom } from '../../dist/toolkit/random.js';
import { run } from './tools.mjs';

const published = ['mnist', 'cifar10'];

/**
 * The first test images of the data set that the card names: in <data>/<name>, prepared there where npm has it. Where there is none,
 * crops of the model's samples.
 */
export async function testImages(card, count, data) {
  const wanted = card.provenance?.dataset;
  const folder = path.join(data, wanted?.name ?? card.name);
  if (!existsSync(folder) && published.includes(wanted?.name))
    run('node', ['dist/cli/main.js', 'dataset', 'prepare', wanted.name, '--into', folder]);
  if (!existsSync(folder)) return await sampleCrops(card, count, `${folder} is not here`);
  if (!existsSync(path.join(folder, 'dataset.json'))) return photosOf(path.join(folder, 'test'), count);
  const dataset = await loadDataset(folder, { input: card.input });
  if (dataset.sha256 !== wanted?.sha256)
    return await sampleCrops(card, count, `${folder} is another data set than the one of its card`);
  const { images, width, height, channels, count: all } = dataset.test;
  const bytes = width * height * channels;
  const from = { width, height, channels: channels === 1 ? 'gray' : 'rgb' };
  const files = [];
  for (let i = 0; i < Math.min(count, all); i++)
    files.push({
      name: `test image ${i}`,
      bytes: await encodePng(images.subarray(i * bytes, (i + 1) * bytes), from),
    });
  return { files, source: `the first ${files.length} test images of ${folder}` };
}

/** Of each category as many, as they are: their decoding is compared, too. */
function photosOf(folder, count) {
  const categories = readdirSync(folder).sort();
  const each = Math.ceil(count / categories.length);
  const names = categories.flatMap((category) =>
    imagesIn(path.join(folder, category))
      .slice(0, each)
      .map((name) => path.join(folder, category, name)),
  );
  return { files: names.map((file) => ({ name: file, file })), source: `${names.length} files of ${folder}` };
}

function imagesIn(folder) {
  return readdirSync(folder)
    .filter((file) => /\.(png|jpe?g|webp)$/.test(file))
    .sort();
}

async function sampleCrops({ name }, count, why) {
  const folder = path.join('imgs', name);
  const samples = imagesIn(folder);
  const random = createRandom(1, 'crops of samples');
  const files = [];
  for (let i = 0; i < count; i++) {
    const sample = samples[i % samples.length];
    files.push({
      name: `crop ${i} of ${sample}`,
      bytes: await crop(readFileSync(path.join(folder, sample)), random),
    });
  }
  return { files, source: `${files.length} seeded crops of ${folder}, as ${why}` };
}

/** Seven tenths or more of each side, turned over every other time, brighter or darker by up to a fifth. */
async function crop(bytes, random) {
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
