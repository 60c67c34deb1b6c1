// Seeded random PNGs of every kind → unpacked synchronously with the same bytes as sharp, or passed to sharp.
import { crc32, deflateSync } from 'node:zlib';
import t from 'tap';
import type { InputContract } from '../../../src/inference/image/contract.js';
import { decodeImage } from '../../../src/inference/image/decode.js';
import { decodeAtOnce } from '../../../src/inference/image/decode-at-once.js';
import { packPng, unpackPng } from '../../../src/inference/image/png.js';
import { grayInput } from '../../helpers/fixture-model.js';
import { noise } from '../../helpers/images.js';

const limits = { maxPixels: 10_000 };
const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

interface Kind {
  colour: 0 | 2 | 3 | 4 | 6;
  depth: 1 | 2 | 4 | 8 | 16;
  interlace?: 0 | 1;
  extra?: [type: string, data: Buffer][];
}

const channelsOf = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const kinds: Kind[] = [
  ...([1, 2, 4, 8, 16] as const).map((depth): Kind => ({ colour: 0, depth })),
  ...([8, 16] as const).flatMap((depth): Kind[] => [2, 4, 6].map((colour) => ({ colour, depth }) as Kind)),
  ...([1, 2, 4, 8] as const).map((depth): Kind => ({ colour: 3, depth })),
  { colour: 0, depth: 8, interlace: 1 },
  { colour: 2, depth: 8, interlace: 1 },
  { colour: 0, depth: 8, extra: [['tRNS', Buffer.from([0, 7])]] },
  { colour: 2, depth: 8, extra: [['tRNS', Buffer.from([0, 7, 0, 7, 0, 7])]] },
  { colour: 2, depth: 8, extra: [['gAMA', uint32(100_000)]] },
  { colour: 0, depth: 8, extra: [['gAMA', uint32(220_000)]] },
  { colour: 2, depth: 8, extra: [['eXIf', exif(6)]] },
  {
    colour: 2,
    depth: 8,
    extra: [
      ['sRGB', Buffer.from([0])],
      ['pHYs', Buffer.alloc(9)],
    ],
  },
  {
    colour: 0,
    depth: 8,
    extra: [
      ['tEXt', Buffer.from('Title\0seven')],
      ['tIME', Buffer.from([7, 232, 1, 1, 1, 1, 1])],
    ],
  },
];

t.test('only plain images are unpacked here, with the same bytes as sharp', async (t) => {
  const random = generator(7);
  for (const kind of kinds) {
    let unpacked = 0;
    for (let round = 0; round < 6; round++) {
      const width = 1 + Math.floor(random() * 40);
      const height = 1 + Math.floor(random() * 40);
      const file = randomPng(width, height, kind, random);
      for (const channels of ['gray', 'rgb'] as const) {
        const input = contract(width, height, channels);
        const pixels = decodeAtOnce(file, input, limits);
        if (!pixels) continue;
        unpacked++;
        const { data } = await decodeImage(file, input, limits);
        if (!Buffer.from(pixels).equals(data)) t.fail(`${describe(kind)}: ${width} x ${height} ${channels}`);
        const other = contract(width + 1, height, channels);
        if (unpackPng(file, other)) t.fail(`${describe(kind)}: unpacked for another size`);
      }
    }
    t.equal(unpacked, isPlain(kind) ? 6 : 0, describe(kind));
  }
});

t.test('images for digit models are centred identically in both ways', async (t) => {
  const input: InputContract = { ...grayInput, polarity: 'auto', centre: { box: 20 } };
  const paper = new Uint8Array(28 * 28).fill(230);
  for (let y = 4; y < 20; y++) paper.fill(20, y * 28 + 5, y * 28 + 9);
  const file = packPng(paper, input);
  const { data } = await decodeImage(file, input, limits);
  t.same(decodeAtOnce(file, input, limits), new Uint8Array(data));
});

t.test('damaged, truncated and padded files are passed to sharp', async (t) => {
  const random = generator(3);
  const input = contract(12, 9, 'rgb');
  const file = randomPng(12, 9, { colour: 2, depth: 8 }, random);
  t.ok(unpackPng(file, input));
  for (let length = 0; length < file.length; length++)
    if (unpackPng(file.subarray(0, length), input)) t.fail(`cut to ${length} bytes`);
  for (let round = 0; round < 400; round++) {
    const damaged = Buffer.from(file);
    const place = Math.floor(random() * damaged.length);
    damaged[place] = (damaged[place] ?? 0) ^ (1 + Math.floor(random() * 255));
    if (unpackPng(damaged, input)) t.fail(`byte ${place} changed`);
  }
  t.notOk(unpackPng(Buffer.concat([file, Buffer.from('payload')]), input), 'bytes after the end');
});

t.test('an image with more or fewer lines than its header states is passed to sharp', async (t) => {
  const input = contract(8, 8, 'gray');
  for (const lines of [7, 9]) {
    const packed = deflateSync(Buffer.alloc(lines * 9));
    t.notOk(unpackPng(assemble(8, 8, { colour: 0, depth: 8 }, [packed]), input), `${lines} lines`);
  }
  const unknownFilter = deflateSync(Buffer.alloc(8 * 9, 9));
  t.notOk(unpackPng(assemble(8, 8, { colour: 0, depth: 8 }, [unknownFilter]), input));
  const followed = Buffer.concat([deflateSync(Buffer.alloc(8 * 9)), Buffer.from('more')]);
  t.notOk(unpackPng(assemble(8, 8, { colour: 0, depth: 8 }, [followed]), input));
});

t.test('an image with too many pixels is passed to sharp, which refuses it', async (t) => {
  const file = randomPng(20, 20, { colour: 0, depth: 8 }, generator(1));
  t.notOk(decodeAtOnce(file, contract(20, 20, 'gray'), { maxPixels: 399 }));
});

t.test('packed pixels are the same after unpacking, for gray and rgb', async (t) => {
  for (const channels of ['gray', 'rgb'] as const) {
    const input = contract(13, 7, channels);
    const pixels = noise(13 * 7 * (channels === 'gray' ? 1 : 3));
    const file = packPng(pixels, input);
    t.same(unpackPng(file, input), pixels);
    t.same(new Uint8Array((await decodeImage(file, input, limits)).data), pixels);
  }
});

function contract(width: number, height: number, channels: InputContract['channels']): InputContract {
  const values = channels === 'gray' ? [0] : [0, 0, 0];
  return { ...grayInput, width, height, channels, mean: values, std: values.map(() => 1) };
}

function isPlain({ colour, depth, interlace, extra = [] }: Kind): boolean {
  const known = extra.every(([type]) => ['sRGB', 'pHYs', 'tEXt', 'tIME'].includes(type));
  return (colour === 0 || colour === 2) && depth === 8 && !interlace && known;
}

function describe({ colour, depth, interlace, extra = [] }: Kind): string {
  const chunks = extra.map(([type]) => type).join(', ');
  return `colour type ${colour}, ${depth} bits${interlace ? ', interlaced' : ''} ${chunks}`.trim();
}

/** Returns random lines with random filters, in up to three IDAT chunks. Any byte is valid after unpacking. */
function randomPng(width: number, height: number, kind: Kind, random: () => number): Buffer {
  const bits = channelsOf[kind.colour] * kind.depth;
  const passes = kind.interlace ? adam7(width, height) : [[width, height] as const];
  const lines = passes.flatMap(([across, down]) =>
    Array.from({ length: down }, () => {
      const line = Buffer.from(noise(1 + Math.ceil((across * bits) / 8), Math.floor(random() * 2 ** 31)));
      line[0] = Math.floor(random() * 5);
      return line;
    }),
  );
  const packed = deflateSync(Buffer.concat(lines));
  const [a, b] = [random(), random()].map((part) => Math.floor(part * packed.length)).sort((x, y) => x - y);
  return assemble(width, height, kind, [packed.subarray(0, a), packed.subarray(a, b), packed.subarray(b)]);
}

/** Returns width and height of each pass with at least one pixel. */
function adam7(width: number, height: number): (readonly [number, number])[] {
  const starts = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ];
  return starts
    .map(
      ([x = 0, y = 0, dx = 1, dy = 1]) =>
        [Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)] as const,
    )
    .filter(([across, down]) => across > 0 && down > 0);
}

function assemble(width: number, height: number, kind: Kind, packed: Buffer[]): Buffer {
  const header = Buffer.concat([
    uint32(width),
    uint32(height),
    Buffer.from([kind.depth, kind.colour, 0, 0, kind.interlace ?? 0]),
  ]);
  const palette: [string, Buffer][] =
    kind.colour === 3 ? [['PLTE', Buffer.from(noise(3 * 2 ** kind.depth))]] : [];
  const chunks: [string, Buffer][] = [
    ['IHDR', header],
    ...(kind.extra ?? []),
    ...palette,
    ...packed.map((data): [string, Buffer] => ['IDAT', data]),
    ['IEND', Buffer.alloc(0)],
  ];
  return Buffer.concat([
    signature,
    ...chunks.map(([type, data]) => {
      const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
      return Buffer.concat([uint32(data.length), body, uint32(crc32(body))]);
    }),
  ]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Returns a TIFF header and one entry: the orientation. */
function exif(orientation: number): Buffer {
  const entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
  return Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, ...entry, 0, 0, 0, 0]);
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
