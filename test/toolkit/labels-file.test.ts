// Files with one label per line: their encodings, line ends and numbers, and what is refused.
import path from 'node:path';
import t from 'tap';
import { parseLabels, readLabelsFile } from '../../src/toolkit/labels-file.js';

const labels = ['Fußgänger & Co', '猫', 'emoji 🐱'];
const text = `${labels.join('\r\n')}\r\n`;
const utf16 = (big: boolean) => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return big ? bytes.swap16() : bytes;
};

t.test('UTF-8 with or without mark and UTF-16 with a mark give the same labels', async (t) => {
  for (const bytes of [Buffer.from(text), Buffer.from(`\ufeff${text}`), utf16(false), utf16(true)])
    t.same(parseLabels(bytes), labels);
  for (const end of ['\n', '\r\n', '\r'])
    t.same(parseLabels(Buffer.from(`a${end}b${end}${end}`)), ['a', 'b']);
  t.same(
    parseLabels(Buffer.from(' ca\u0303o \ngato')),
    ['c\u00e3o', 'gato'],
    'NFC, without spaces at the ends',
  );
});

t.test('the numbers of a list by Teachable Machine are removed, and give the order', async (t) => {
  t.same(parseLabels(Buffer.from('0 red\n1 green\n2 blue\n')), ['red', 'green', 'blue']);
  t.same(parseLabels(Buffer.from('1: green\n0: light red\n')), ['light red', 'green']);
  t.same(parseLabels(Buffer.from('0\t猫\n1\t犬\n')), ['猫', '犬']);
  const eleven = ['0 a', '1 b', '10 k', ...'cdefghij'.split('').map((letter, i) => `${i + 2} ${letter}`)];
  t.same(parseLabels(Buffer.from(eleven.join('\n'))).join(''), 'abcdefghijk');
});

t.test('numbers that are part of the labels stay', async (t) => {
  for (const lines of [
    ['1 euro', '2 euro'],
    ['0', '1', '2'],
    ['0 euro', '1 euro'],
    ['0 a', 'b'],
    ['0 a', '2 b'],
    ['7 up', 'cola'],
  ])
    t.same(parseLabels(Buffer.from(lines.join('\n'))), lines);
});

const refused: [title: string, bytes: Buffer, message: RegExp][] = [
  ['nothing', Buffer.from('\r\n'), /is empty/],
  ['one line', Buffer.from('red'), /at least 2 lines, got 1/],
  ['an empty line', Buffer.from('red\n\nblue'), /line 2 is empty/],
  ['a label twice', Buffer.from('red\ngreen\nred\n'), /lines 1 and 3 are both red/],
  ['a label twice in two forms of Unicode', Buffer.from('cão\nx\nca\u0303o'), /lines 1 and 3 are both cão/],
  ['Latin-1', Buffer.from('k\xf6pek\ngato', 'latin1'), /neither UTF-8 nor UTF-16.*iconv/],
  ['UTF-16 without a mark', Buffer.from('red\ngreen', 'utf16le'), /NUL bytes, as UTF-16 without/],
  ['UTF-16 that ends early', utf16(false).subarray(0, 7), /neither UTF-8 nor UTF-16/],
  ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), /is UTF-32/],
  ['JSON', Buffer.from('["red",\n"green"]'), /is JSON/],
  ['a control character', Buffer.from('red\ngr\x07een'), /line 2 has a control character/],
  ['a model', Buffer.from([8, 7, 0x12, 0, 0xff, 0x0a]), /neither UTF-8 nor UTF-16/],
];
for (const [title, bytes, message] of refused)
  t.test(`${title}: refused with the reason`, async (t) => {
    t.throws(() => parseLabels(bytes), { name: 'LabelsFileError', message });
  });

t.test('a file’s errors name the file', async (t) => {
  const root = t.testdir({ 'dup.txt': 'a\na' });
  await t.rejects(readLabelsFile(path.join(root, 'dup.txt')), { message: /dup\.txt: lines 1 and 2/ });
  await t.rejects(readLabelsFile(path.join(root, 'none.txt')), { message: /none\.txt: cannot be read/ });
});
