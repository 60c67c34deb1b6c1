// The table of accepted kinds: detection by bytes and by names, and the names in messages.
import t from 'tap';
import {
  imageKind,
  imageKinds,
  imageMediaTypes,
  isImageName,
  nameKinds,
} from '../../../src/inference/image/kinds.js';
import { gif, jpeg, solidPng, svg, tiff, webp } from '../../helpers/images.js';

t.test('each kind is detected from its first bytes, but not from fewer bytes', async (t) => {
  const files = { png: solidPng(2, 2, 0), jpeg: await jpeg(2, 2, 0), webp: await webp(2, 2, 0), gif: gif() };
  for (const [kind, file] of Object.entries(files)) {
    t.equal(imageKind(file), kind);
    t.equal(
      imageKind(new Uint8Array(Buffer.concat([Buffer.alloc(3), file])).subarray(3)),
      kind,
      'at any offset',
    );
    t.equal(imageKind(file.subarray(0, 2)), undefined);
  }
  t.equal(imageKind(Buffer.from('GIF87a')), 'gif');
  for (const other of ['', 'GIF88a', 'RIFF\0\0\0\0WAVE', 'RIFF\0\0\0\0', '\x89PNG\n'])
    t.equal(imageKind(Buffer.from(other, 'latin1')), undefined, other);
  for (const other of [svg(), tiff()]) t.equal(imageKind(other), undefined);
});

t.test('a name is accepted by its extension, in upper or lower case', async (t) => {
  for (const { endings } of Object.values(imageKinds))
    for (const ending of endings) t.ok(isImageName(`a.b${ending.toUpperCase()}`), ending);
  for (const name of ['png', 'a.png.txt', 'a.tiff', 'apng']) t.notOk(isImageName(name), name);
});

t.test('the lists of kinds for people and for programs have the same order', async (t) => {
  t.equal(nameKinds('or'), 'PNG, JPEG, WebP or GIF');
  t.equal(nameKinds('and'), 'PNG, JPEG, WebP and GIF');
  t.same(imageMediaTypes, ['image/png', 'image/jpeg', 'image/webp', 'image/gif']);
});
