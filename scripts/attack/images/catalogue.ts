// Names → the hostile images that a service must survive. Each is made on demand.
import { flatGif, gifBomb } from './gif.js';
import { flatJpeg } from './jpeg.js';
import {
  hollowJpeg,
  jpegOfFill,
  jpegOfLateHeight,
  jpegOfRestartIntervals,
  jpegOfRestarts,
  jpegOfScans,
  jpegOfSegments,
  lyingJpeg,
} from './jpeg-floods.js';
import { lossyWebp } from './lossy-webp.js';
import { flatPng, hollowPng, pngBomb, pngOfEmptyChunks, pngOfTinyChunks } from './png.js';
import { animatedWebp, flatWebp, webpOfCodes } from './webp.js';

export interface HostileImage {
  name: string;
  bytes(): Buffer | Promise<Buffer>;
}

/** The largest sides of 25 megapixels, the default of QUATI_MAX_PIXELS. */
const [side, pixels] = [5000, 25_000_000];
/** The largest upload, the default of QUATI_MAX_UPLOAD_BYTES. */
const mostBytes = 10 * 2 ** 20 - 2048;

const pngs: Record<string, () => Buffer> = {
  'png 25000000x1': () => flatPng({ width: pixels, height: 1 }),
  'png 1x25000000': () => flatPng({ width: 1, height: pixels }),
  'png 12500000x2': () => flatPng({ width: pixels / 2, height: 2 }),
  'png 1000000x25': () => flatPng({ width: 1_000_000, height: 25 }),
  'png 25x1000000': () => flatPng({ width: 25, height: 1_000_000 }),
  'png 5000x5000': () => flatPng({ width: side, height: side }),
  'png 5000x5000 gray of 1 bit': () => flatPng({ width: side, height: side, colour: 'gray', bits: 1 }),
  'png 5000x5000 palette': () => flatPng({ width: side, height: side, colour: 'palette' }),
  'png 5000x5000 rgba of 16 bits': () => flatPng({ width: side, height: side, colour: 'rgba', bits: 16 }),
  'png 5000x5000 interlaced': () => flatPng({ width: side, height: side, interlaced: true }),
  'png 5000x5000 rgba of 16 bits interlaced': () =>
    flatPng({ width: side, height: side, colour: 'rgba', bits: 16, interlaced: true }),
  'png of 800000 empty chunks': () => pngOfEmptyChunks(800_000),
  'png of 800000 empty texts': () => pngOfEmptyChunks(800_000, 'tEXt'),
  'png of 800000 empty IDAT': () => pngOfEmptyChunks(800_000, 'IDAT'),
  'png of tiny IDAT': () => pngOfTinyChunks({ width: side, height: side }),
  'png with a profile of 1 GB': () => pngBomb('iCCP', 2 ** 30),
  'png with a text of 1 GB': () => pngBomb('zTXt', 2 ** 30),
  'png with an international text of 1 GB': () => pngBomb('iTXt', 2 ** 30),
  'png with 4 GB behind its pixels': () => pngBomb('IDAT', 2 ** 32),
  'png without pixels': () => hollowPng(side, side),
};

const jpegs: Record<string, () => Buffer> = {
  'jpeg 5000x5000': () => flatJpeg({ width: side, height: side }),
  'jpeg 5000x5000 4:2:0': () => flatJpeg({ width: side, height: side, sampling: '4:2:0' }),
  'jpeg 5000x5000 in three scans': () => flatJpeg({ width: side, height: side, apart: true }),
  'jpeg 5000x5000 progressive': () => flatJpeg({ width: side, height: side, progressive: true }),
  'jpeg 5000x5000 progressive 4:2:0': () =>
    flatJpeg({ width: side, height: side, sampling: '4:2:0', progressive: true }),
  'jpeg 5000x5000 progressive gray': () =>
    flatJpeg({ width: side, height: side, sampling: 'gray', progressive: true }),
  'jpeg 65500x381 progressive': () => flatJpeg({ width: 65_500, height: 381, progressive: true }),
  'jpeg 381x65500 progressive': () => flatJpeg({ width: 381, height: 65_500, progressive: true }),
  'jpeg of 150000 empty segments': () => jpegOfSegments(150_000),
  'jpeg of 10 MB of empty segments': () => jpegOfSegments(Math.floor(mostBytes / 4)),
  'jpeg of 10 MB of empty comments': () => jpegOfSegments(Math.floor(mostBytes / 4), { code: 0xfe }),
  'jpeg of 10 MB of full segments': () =>
    jpegOfSegments(Math.floor(mostBytes / 65_537), { code: 0xed, bytes: 65_533 }),
  'jpeg of 10 MB of fill': () => jpegOfFill(mostBytes),
  'jpeg of 140000 scans': () => jpegOfScans({ width: 512, height: 512, scans: 140_000, withTables: true }),
  'jpeg of 1500 scans': () => jpegOfScans({ width: 512, height: 512, scans: 1500 }),
  'jpeg of 100 scans of 25 megapixels': () => jpegOfScans({ width: side, height: side, scans: 100 }),
  'jpeg 65500x65500 that lies': () => lyingJpeg(65_500, 65_500),
  'jpeg 5000x5000 that lies': () => lyingJpeg(side, side),
  'jpeg 5000x5000 progressive that lies': () => lyingJpeg(side, side, true),
  'jpeg of a restart a block': () => flatJpeg({ width: 2048, height: 2048, restartInterval: 1 }),
  'jpeg of 10 MB of restarts': () => jpegOfRestarts(mostBytes / 2),
  'jpeg of 10 MB of restart intervals': () => jpegOfRestartIntervals(Math.floor(mostBytes / 6)),
  'jpeg that says its height late': () => jpegOfLateHeight(side, side),
  'jpeg without data': () => hollowJpeg(side, side),
};

const gifs: Record<string, () => Buffer> = {
  'gif 5000x5000': () => flatGif({ width: side, height: side }),
  'gif 65535x381': () => flatGif({ width: 65_535, height: 381 }),
  'gif 65535x65535 canvas of a pixel': () =>
    flatGif({ width: 65_535, height: 65_535, frame: { width: 1, height: 1 } }),
  'gif of 300000 frames': () => flatGif({ width: 1, height: 1, frames: 300_000 }),
  'gif of 100 frames of 25 megapixels': () => flatGif({ width: side, height: side, frames: 100 }),
  'gif with 2 gigapixels behind its pixels': () => gifBomb(64, 64, 2 ** 31),
};

const webps: Record<string, HostileImage['bytes']> = {
  'webp 5000x5000': () => flatWebp({ width: side, height: side }),
  'webp 16383x1525': () => flatWebp({ width: 16_383, height: 1525 }),
  'webp 16383x16383': () => flatWebp({ width: 16_383, height: 16_383 }),
  'webp 5000x5000 lossy': () => lossyWebp(side, side),
  'webp of 100000 frames': () => animatedWebp({ width: 16, height: 16, frames: 100_000 }),
  'webp of 100 frames of 25 megapixels': () => animatedWebp({ width: side, height: side, frames: 100 }),
  'webp of 65536 groups of codes': () => webpOfCodes(65_536),
  'webp of 65536 groups of deep codes': () => webpOfCodes(65_536, { deep: true }),
};

export const hostileImages: readonly HostileImage[] = Object.entries({
  ...pngs,
  ...jpegs,
  ...gifs,
  ...webps,
}).map(([name, bytes]) => ({ name, bytes }));
