// Files of formats that are not accepted: the error names the format by the bytes, and the remedy.
import t from 'tap';
import { acceptedKind, imageKinds } from '../../../src/inference/image/kinds.js';
import { otherKind } from '../../../src/inference/image/other-kinds.js';
import { avifFile, heicFile, otherFiles } from '../../helpers/other-files.js';

for (const [title, files] of Object.entries(otherFiles))
  t.test(`${title} is recognised`, async (t) => {
    for (const file of files) {
      t.equal(otherKind(file)?.title, title);
      t.throws(() => acceptedKind(file), {
        name: 'UnsupportedTypeError',
        message: `The file is ${title}, not PNG, JPEG, WebP or GIF: ${otherKind(file)?.remedy}`,
      });
    }
  });

t.test('the remedies for photos of a phone name a program and the setting', async (t) => {
  t.match(otherKind(heicFile())?.remedy, /convert it to JPEG.*heif-convert.*Most Compatible/);
  t.match(otherKind(avifFile())?.remedy, /convert it to JPEG or PNG/);
});

t.test('accepted kinds, short files and plain text have no such name', async (t) => {
  for (const { magic } of Object.values(imageKinds))
    for (const one of magic) t.equal(otherKind(Buffer.from(one.padEnd(64, '\0'), 'latin1')), undefined);
  for (const text of [
    '',
    'B',
    'BMW and other cars',
    'II',
    'ftyp',
    '\0\0\0\x18ftyp',
    'MM and m',
    'P7',
    '<x>',
    'no image',
  ])
    t.equal(otherKind(Buffer.from(text, 'latin1')), undefined, text);
});

t.test('every first part of such a file is answered without an exception', async (t) => {
  for (const file of Object.values(otherFiles).flat())
    for (let length = 0; length <= Math.min(file.length, 140); length++) otherKind(file.subarray(0, length));
  t.pass();
});
