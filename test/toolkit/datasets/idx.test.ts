import { gzipSync } from 'node:zlib';
import t from 'tap';
import { parseIdx } from '../../../src/toolkit/datasets/idx.js';
import { idxBytes } from './tiny-package.js';

const good = idxBytes([2, 1, 3], [1, 2, 3, 4, 5, 255]);

t.test('sizes and data are read from a plain file', async (t) => {
  const { dims, data } = parseIdx(good, 'x', 3);
  t.strictSame(dims, [2, 1, 3]);
  t.strictSame([...data], [1, 2, 3, 4, 5, 255]);
});

t.test('a gzipped file gives the same data', async (t) => {
  t.strictSame([...parseIdx(gzipSync(good), 'x', 3).data], [1, 2, 3, 4, 5, 255]);
});

const float32 = Buffer.from(good);
float32.writeUInt8(0x0d, 2);
const refused: [title: string, bytes: Buffer, message: RegExp][] = [
  ['an empty file', Buffer.alloc(0), /^bad: is not an IDX file/],
  ['another kind of file', Buffer.from('<html>'), /^bad: is not an IDX file/],
  ['float data', float32, /^bad: type: expected 0x08 \(uint8\), got 0x0d$/],
  ['labels in the place of images', idxBytes([2], [1, 2]), /^bad: expected 3 dimensions, got 1$/],
  ['a header cut short', good.subarray(0, 10), /^bad: expected a header of 16 bytes, but the file has 10$/],
  ['data cut short', good.subarray(0, -1), /^bad: expected 6 bytes for \(2, 1, 3\), got 5$/],
  ['trailing bytes', Buffer.concat([good, Buffer.of(0)]), /expected 6 bytes for .*, got 7$/],
  ['a gzip file cut short', gzipSync(good).subarray(0, -9), /^bad: cannot be unzipped/],
];
for (const [title, bytes, message] of refused)
  t.test(`${title} is refused, with the file and the reason`, async (t) => {
    t.throws(() => parseIdx(bytes, 'bad', 3), { name: 'IdxError', message });
  });
