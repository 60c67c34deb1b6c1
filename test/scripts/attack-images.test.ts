// the generators of hostile images → small ones are valid images of their size, large ones have the right header and size in bytes.
import { crc32, gunzipSync, inflateSync } from 'node:zlib';
import sharp from 'sharp';
import t from 'tap';
import * as json from '../../scripts/attack/bodies/json.js';
import { hostileImages } from '../../scripts/attack/images/catalogue.js';
import { flatGif, gifBomb } from '../../scripts/attack/images/gif.js';
import { flatJpeg } from '../../scripts/attack/images/jpeg.js';
import {
  hollowJpeg,
  jpegOfFill,
  jpegOfLateHeight,
  jpegOfRestartIntervals,
  jpegOfRestarts,
  jpegOfScans,
  jpegOfSegments,
  lyingJpeg,
} from '../../scripts/attack/images/jpeg-floods.js';
import { lossyWebp } from '../../scripts/attack/images/lossy-webp.js';
import { mutations, splice } from '../../scripts/attack/images/mutations.js';
import {
  flatPng,
  hollowPng,
  type PngColour,
  pngBomb,
  pngOfEmptyChunks,
  pngOfTinyChunks,
} from '../../scripts/attack/images/png.js';
import { zlibOfRuns } from '../../scripts/attack/images/runs.js';
import { animatedWebp, flatWebp, webpOfCodes } from '../../scripts/attack/images/webp.js';
import { imageKind } from '../../src/inference/image/kinds.js';

/** Decodes like the service: a warning of libvips is an error. */
const strict = { failOn: 'warning' } as const;

/** `<width>x<height>` of the first frame, and its colours as `r g b a`. */
async function decoded(bytes: Buffer): Promise<{ size: string; colours: string[] }> {
  const { data, info } = await sharp(bytes, strict)
    .toColourspace('srgb')
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const pixels = new Set(new Uint32Array(data.buffer, data.byteOffset, data.length / 4));
  const colours = [...pixels].map((pixel) => new Uint8Array(Uint32Array.of(pixel).buffer).join(' '));
  return { size: `${info.width}x${info.height}`, colours };
}

t.test('a zlib stream made of runs inflates to these runs, at any length', async (t) => {
  const pattern = Buffer.from([1, 2, 250]);
  for (const times of [0, 1, 3, 100_000]) {
    const packed = zlibOfRuns([
      { pattern, times },
      { pattern: Buffer.of(9), times: 300_000 },
    ]);
    const expected = Buffer.concat([Buffer.alloc(3 * times, pattern), Buffer.alloc(300_000, 9)]);
    t.ok(inflateSync(packed).equals(expected), `${times} times`);
  }
  t.throws(() => zlibOfRuns([{ pattern: Buffer.alloc(0), times: 1 }]), RangeError);
});

t.test('flat PNGs of every colour type and depth are valid, interlaced or not', async (t) => {
  const kinds: [PngColour, (1 | 2 | 4 | 8 | 16)[]][] = [
    ['gray', [1, 2, 4, 8, 16]],
    ['rgb', [8, 16]],
    ['palette', [1, 2, 4, 8]],
    ['gray-alpha', [8, 16]],
    ['rgba', [8, 16]],
  ];
  for (const [colour, depths] of kinds)
    for (const bits of depths)
      for (const interlaced of [false, true]) {
        const file = flatPng({ width: 13, height: 7, colour, bits, interlaced, level: 1 });
        const expected = { size: '13x7', colours: ['255 255 255 255'] };
        t.same(await decoded(file), expected, `${colour} ${bits} ${interlaced}`);
      }
  t.same((await decoded(flatPng({ width: 3, height: 2, colour: 'rgba' }))).colours, ['128 128 128 255']);
  t.same(
    (await decoded(flatPng({ width: 70_000, height: 2 }))).size,
    '70000x2',
    'a row is not repeated, its pixels are',
  );
  t.same(
    (await decoded(flatPng({ width: 1, height: 1, interlaced: true }))).size,
    '1x1',
    'passes without pixels',
  );
});

t.test('PNGs with many, tiny or oversized chunks are valid', async (t) => {
  const files = [
    pngOfEmptyChunks(10),
    pngOfEmptyChunks(10, 'IDAT'),
    pngOfTinyChunks({ width: 8, height: 8 }),
    pngBomb('IDAT', 1000),
    pngBomb('zTXt', 1000, 3),
    pngBomb('iTXt', 1000),
    pngBomb('iCCP', 1000),
  ];
  for (const file of files) t.equal((await decoded(file)).size, '8x8');
  t.equal(pngOfEmptyChunks(11).length - pngOfEmptyChunks(10).length, 12);
  const profile = pngBomb('iCCP', 100_000);
  const at = profile.indexOf('iCCP');
  const data = profile.subarray(at + 4, at + 4 + profile.readUInt32BE(at - 4));
  t.equal(crc32(profile.subarray(at, at + 4 + data.length)), profile.readUInt32BE(at + 4 + data.length));
  t.equal(inflateSync(data.subarray('name\0\0'.length)).length, 100_000);
  await t.rejects(decoded(hollowPng(8, 8)));
});

t.test(
  'flat JPEGs are valid: sequential, with a scan per component, progressive, with any subsampling',
  async (t) => {
    for (const sampling of ['gray', '4:4:4', '4:2:0'] as const)
      for (const [width, height] of [
        [8, 8],
        [100, 37],
        [641, 480],
      ] as const)
        for (const how of [{}, { apart: true }, { progressive: true }, { restartInterval: 3 }]) {
          const file = flatJpeg({ width, height, sampling, ...how });
          const expected = { size: `${width}x${height}`, colours: ['200 200 200 255'] };
          t.same(await decoded(file), expected, `${sampling} ${width}x${height} ${Object.keys(how)}`);
          const { isProgressive, chromaSubsampling } = await sharp(file).metadata();
          // libvips warns about every JPEG that it must hold as a whole.
          t.equal(isProgressive, 'progressive' in how || ('apart' in how && sampling !== 'gray'));
          t.equal(chromaSubsampling, sampling === 'gray' ? '4:4:4' : sampling);
        }
    t.same((await decoded(flatJpeg({ width: 8, height: 8, level: 3 }))).colours, ['3 3 3 255']);
  },
);

t.test(
  'JPEGs with many segments, fill bytes, scans or restarts are valid; false sizes are in the header',
  async (t) => {
    const small = [jpegOfSegments(100), jpegOfSegments(2, { code: 0xed, bytes: 70 }), jpegOfFill(1000)];
    for (const file of [...small, jpegOfRestartIntervals(100)]) t.equal((await decoded(file)).size, '8x8');
    const scans = { width: 100, height: 37, scans: 5 };
    for (const withTables of [false, true]) {
      const file = jpegOfScans({ ...scans, withTables });
      t.same(await decoded(file), { size: '100x37', colours: ['200 200 200 255'] });
      t.equal(file.toString('latin1').split('\xff\xda').length - 1, 1 + scans.scans);
    }
    t.equal(jpegOfRestarts(100).length - jpegOfRestarts(0).length, 200);
    for (const file of [lyingJpeg(65_500, 65_499), hollowJpeg(65_500, 65_499)])
      t.match(await sharp(file, { limitInputPixels: false }).metadata(), { width: 65_500, height: 65_499 });
    t.match(await sharp(lyingJpeg(500, 400, true)).metadata(), {
      width: 500,
      height: 400,
      isProgressive: true,
    });
    t.equal(
      jpegOfLateHeight(8, 300).readUInt16BE(jpegOfLateHeight(8, 300).indexOf('\xff\xdc', 0, 'latin1') + 4),
      300,
    );
  },
);

t.test(
  'GIFs are valid: of one frame or many, of one pixel or of more than one code table can hold',
  async (t) => {
    for (const [width, height] of [
      [1, 1],
      [2, 1],
      [7, 5],
      [300, 200],
      [3000, 3000],
    ] as const)
      t.same(await decoded(flatGif({ width, height })), {
        size: `${width}x${height}`,
        colours: ['60 120 180 255'],
      });
    const frames = flatGif({ width: 20, height: 10, frames: 7, frame: { width: 3, height: 3 } });
    t.match(await sharp(frames, { ...strict, animated: true }).metadata(), {
      width: 20,
      pageHeight: 10,
      pages: 7,
    });
    t.equal((await decoded(gifBomb(16, 16, 1000))).size, '16x16');
  },
);

t.test('WebPs are valid: flat, animated, lossy, and with many groups of codes', async (t) => {
  const gray = ['128 128 128 255'];
  t.same(await decoded(flatWebp({ width: 1, height: 1 })), { size: '1x1', colours: gray });
  t.same(await decoded(flatWebp({ width: 701, height: 300 })), { size: '701x300', colours: gray });
  t.equal(flatWebp({ width: 16_383, height: 16_383 }).length, 34);
  t.match(await sharp(animatedWebp({ width: 20, height: 10, frames: 7 }), { animated: true }).metadata(), {
    width: 20,
    pageHeight: 10,
    pages: 7,
  });
  for (const deep of [false, true])
    t.same(await decoded(webpOfCodes(300, { deep })), { size: '1024x8', colours: ['0 0 0 255'] });
  t.same((await decoded(await lossyWebp(40, 30))).size, '40x30');
});

t.test('JSON bodies are valid, except the one of open brackets, and compress to few bytes', async (t) => {
  t.same(JSON.parse(json.emptyObjects(3).toString()), [{}, {}, {}]);
  t.same(JSON.parse(json.nested(3).toString()), [[[]]]);
  t.same(JSON.parse(json.nested(2, 'objects').toString()), { a: { a: 0 } });
  t.same(JSON.parse(json.openInferenceBody(json.nested(1)).toString()).parameters, []);
  t.same(JSON.parse(json.tensorflowServingBody(json.emptyObjects(2)).toString()), { instances: [{}, {}] });
  t.throws(() => JSON.parse(json.openBrackets(10).toString()));
  const packed = json.gzipped(json.openBrackets(10 * 2 ** 20));
  t.ok(packed.length < 20_000);
  t.equal(gunzipSync(packed).length, 10 * 2 ** 20);
});

t.test('the same seed gives the same mutations, another seed gives others', async (t) => {
  const files = [flatPng({ width: 9, height: 9 }), flatJpeg({ width: 9, height: 9 })];
  const [first, again, other] = [1, 1, 2].map((seed) => [...mutations(files, 30, seed)]);
  t.same(first, again);
  t.notSame(first, other);
  t.same(
    splice(Buffer.from('abc'), Buffer.from('xyz'), () => 0.5),
    Buffer.from('abz'),
  );
});

t.test(
  'every hostile image passes the checks of size and first bytes, and making it takes little memory',
  async (t) => {
    const before = process.resourceUsage().maxRSS;
    const kinds = new Set<string>();
    for (const { name, bytes } of hostileImages) {
      // sharp takes a second, and the memory of the pixels.
      if (name.includes('lossy')) continue;
      const file = await bytes();
      const kind = imageKind(file);
      t.ok(kind && name.startsWith(kind), name);
      t.ok(file.length <= 10 * 2 ** 20, `${name}: ${file.length} bytes`);
      kinds.add(kind ?? '');
    }
    t.equal(kinds.size, 4);
    t.equal(new Set(hostileImages.map(({ name }) => name)).size, hostileImages.length);
    const grown = (process.resourceUsage().maxRSS - before) / 1024;
    t.ok(grown < 400, `${Math.round(grown)} MiB more`);
  },
);
