import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { NpyError } from '../../../src/toolkit/datasets/errors.js';
import { decodeNpy, encodeNpy, type NpyArray, readNpy, writeNpy } from '../../../src/toolkit/datasets/npy.js';

const arrays: NpyArray[] = [
  { dtype: 'uint8', shape: [2, 3], data: Uint8Array.of(0, 1, 2, 253, 254, 255) },
  { dtype: 'float32', shape: [3], data: Float32Array.of(-1.5, 0, 3.25) },
  { dtype: 'int64', shape: [1, 2], data: BigInt64Array.of(-9007199254740993n, 42n) },
  { dtype: 'uint8', shape: [0, 28, 28, 1], data: new Uint8Array(0) },
  { dtype: 'float32', shape: [], data: Float32Array.of(7) },
];

for (const array of arrays)
  t.test(`${array.dtype} of shape (${array.shape}) is unchanged after writing and reading`, async (t) => {
    const file = path.join(t.testdir({}), 'a.npy');
    await writeNpy(file, array);
    t.strictSame(await readNpy(file), array);
  });

t.test('the header equals that of numpy.save for uint8 (2, 3)', async (t) => {
  const [header] = encodeNpy({ dtype: 'uint8', shape: [2, 3], data: new Uint8Array(6) });
  const dict = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }";
  t.equal(
    Buffer.from(header).toString('latin1'),
    `\x93NUMPY\x01\x00\x76\x00${dict}${' '.repeat(128 - 10 - dict.length - 1)}\n`,
  );
});

t.test('data at an odd offset in memory is read correctly', async (t) => {
  const bytes = Buffer.concat([
    Buffer.of(0),
    ...encodeNpy({ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) }),
  ]);
  t.strictSame(decodeNpy(bytes.subarray(1), 'odd.npy').data, Float32Array.of(1, 2));
});

t.test('a file with its keys in another order and with other spaces is read', async (t) => {
  t.strictSame(
    decodeNpy(handMade("{ 'shape':(2,),'descr':'|u1', 'fortran_order' : False}", [8, 9]), 'x').data,
    Uint8Array.of(8, 9),
  );
});

const dict = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }";
const refused: [title: string, bytes: Buffer, message: RegExp][] = [
  ['no .npy', Buffer.from('PK\x03\x04 a zip file'), /^bad\.npy: is not a \.npy file/],
  ['an empty file', Buffer.alloc(0), /^bad\.npy: is not a \.npy file/],
  ['format 2.0', handMade(dict, [1, 2], 2), /^bad\.npy: format: expected 1\.0, got 2\.0$/],
  [
    'a header cut short',
    handMade(dict, [1, 2]).subarray(0, 30),
    /^bad\.npy: expected a header of 70 bytes, but the file has 30$/,
  ],
  [
    'Fortran order',
    handMade(dict.replace('False', 'True'), [1, 2]),
    /fortran_order: expected False, got True/,
  ],
  ['another dtype', handMade(dict.replace('|u1', '<f8'), [1, 2]), /dtype: expected .*, got <f8/],
  ['big-endian numbers', handMade(dict.replace('|u1', '>f4'), [1, 2]), /dtype: expected .*, got >f4/],
  ['a missing shape', handMade(dict.replace('shape', 'form'), [1, 2]), /header: no valid 'shape'/],
  ['a negative size', handMade(dict.replace('2,', '-2,'), [1, 2]), /header: no valid 'shape'/],
  ['a size with a gap', handMade(dict.replace('2,', '1 2,'), [1, 2]), /shape: expected a tuple of sizes/],
  ['an endless shape', handMade(dict.replace('2,', '9999999999, 9999999999'), []), /is too large/],
  ['a header that is no dictionary', handMade('import os', [1, 2]), /header: expected a dictionary/],
  ['too few bytes of data', handMade(dict, [1]), /^bad\.npy: expected 2 bytes of data, got 1$/],
  ['too many bytes of data', handMade(dict, [1, 2, 3]), /^bad\.npy: expected 2 bytes of data, got 3$/],
];
for (const [title, bytes, message] of refused)
  t.test(`${title} is refused, with the file and the reason`, async (t) => {
    t.throws(() => decodeNpy(bytes, 'bad.npy'), { name: 'NpyError', message });
  });

t.test('an array whose shape does not fit its data is not written', async (t) => {
  t.throws(() => encodeNpy({ dtype: 'uint8', shape: [2, 2], data: new Uint8Array(3) }), {
    message: /expected 4 elements for shape \(2,2\), got 3/,
  });
});

t.test('a missing file is an NpyError that names it', async (t) => {
  const file = path.join(t.testdir({}), 'none.npy');
  await t.rejects(readNpy(file), { name: 'NpyError', message: /none\.npy: cannot be read/ });
  await writeFile(file, 'x');
  await t.rejects(readNpy(file), NpyError);
});

function handMade(header: string, data: number[], major = 1): Buffer {
  const prefix = Buffer.from(`\x93NUMPY${String.fromCharCode(major)}\x00`, 'latin1');
  const length = Buffer.alloc(2);
  const text = `${header.padEnd(59)}\n`;
  length.writeUInt16LE(text.length);
  return Buffer.concat([prefix, length, Buffer.from(text, 'latin1'), Buffer.from(data)]);
}
