import { stripVTControlCharacters } from 'node:util';
import t from 'tap';
import { loadPictures, pixelsToLines } from '../../src/cli/terminal-picture.js';
import { png } from '../helpers/images.js';

t.test('the upper pixel is the foreground and the lower one the background of a half block', async (t) => {
  const data = Uint8Array.of(255, 0, 0, 0, 255, 0);
  t.strictSame(pixelsToLines({ width: 1, height: 2, channels: 3, data }, 3), [
    '\x1b[38;2;255;0;0m\x1b[48;2;0;255;0m▀\x1b[49m\x1b[39m',
  ]);
});

t.test('gray pixels and an odd last row are drawn', async (t) => {
  const lines = pixelsToLines({ width: 2, height: 3, channels: 1, data: Uint8Array.of(0, 1, 2, 3, 4, 5) }, 3);
  t.equal(lines.length, 2);
  t.match(lines[1], '\x1b[38;2;4;4;4m\x1b[48;2;4;4;4m▀');
});

t.test('with 256 colours no true colour is used; without colours only the blocks stay', async (t) => {
  const pixels = { width: 1, height: 2, channels: 1, data: Uint8Array.of(0, 255) } as const;
  t.match(pixelsToLines(pixels, 2), ['\x1b[38;5;16m\x1b[48;5;231m▀\x1b[49m\x1b[39m']);
  t.strictSame(pixelsToLines(pixels, 0), ['▀']);
});

t.test('an image of any size becomes 14 columns and 7 lines', async (t) => {
  const lines = await (await loadPictures())(png(28, 28, 1, new Uint8Array(28 * 28)), 3);
  t.equal(lines?.length, 7);
  for (const line of lines ?? []) t.equal(stripVTControlCharacters(line), '▀'.repeat(14));
});

t.test('bytes that are not an image are not drawn', async (t) => {
  t.equal(await (await loadPictures())(Buffer.from('no image'), 3), undefined);
});
