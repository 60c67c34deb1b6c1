// .zip and .tar archives of photos → their images in a folder; damaged archives and paths outside the folder are refused.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import t from 'tap';
import { create } from 'tar';
import { unpackArchive } from '../../../src/toolkit/datasets/archive.js';
import { prepareDogsVsCats } from '../../../src/toolkit/datasets/dogs-vs-cats.js';
import { solidPng } from '../../helpers/images.js';

const isImage = (name: string) => name.endsWith('.png');

/** Entries as they are, not compressed. @param encoding of the names, without the flag for UTF-8. */
function zip(entries: Readonly<Record<string, Uint8Array>>, encoding: 'utf8' | 'latin1' = 'utf8'): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  for (const [name, content] of Object.entries(entries)) {
    const at = local.reduce((sum, part) => sum + part.length, 0);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(10, 0);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name, encoding), 22);
    local.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name, encoding), Buffer.from(content));
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    central.push(Buffer.from('PK\x01\x02\x0a\0'), common, rest, Buffer.from(name, encoding));
  }
  const [files, directory] = [Buffer.concat(local), Buffer.concat(central)];
  const end = Buffer.alloc(18);
  const count = Object.keys(entries).length;
  end.writeUInt16LE(count, 4);
  end.writeUInt16LE(count, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(files.length, 12);
  return Buffer.concat([files, directory, Buffer.from('PK\x05\x06'), end]);
}

const files = {
  'PetImages/Cat/1.png': solidPng(2, 2, 10),
  'PetImages/Dog/1.png': solidPng(2, 2, 20),
  'PetImages/readme.txt': Buffer.from('not wanted'),
};

async function archive(
  root: string,
  ending: string,
  entries: Record<string, Buffer> = files,
): Promise<string> {
  const file = path.join(root, `photos${ending}`);
  if (ending === '.zip') {
    await writeFile(file, zip(entries));
    return file;
  }
  for (const [name, content] of Object.entries(entries)) {
    await mkdir(path.dirname(path.join(root, 'in', name)), { recursive: true });
    await writeFile(path.join(root, 'in', name), content);
  }
  await create({ file, cwd: path.join(root, 'in'), gzip: ending !== '.tar' }, Object.keys(entries));
  return file;
}

for (const ending of ['.zip', '.tar', '.tar.gz', '.tgz'])
  t.test(`${ending}: only the wanted files are unpacked, byte for byte`, async (t) => {
    const root = t.testdir({});
    const into = path.join(root, 'out');
    await unpackArchive(await archive(root, ending), into, isImage);
    const found = (await readdir(into, { recursive: true })).filter((name) => /\.\w+$/.test(name)).sort();
    t.strictSame(found, Object.keys(files).filter(isImage));
    for (const [name, content] of Object.entries(files).filter(([name]) => isImage(name)))
      t.ok(content.equals(await readFile(path.join(into, name))), name);
  });

t.test(
  'names in a zip without the flag for UTF-8 are read as UTF-8 if they are, else as code page 437',
  async (t) => {
    const root = t.testdir({});
    const names = ['cão/1.png', 'cão'.normalize('NFD').concat('/2.png'), '猫/é 🐱.png'];
    const file = await archive(
      root,
      '.zip',
      Object.fromEntries(names.map((name) => [name, solidPng(2, 2, 1)])),
    );
    await unpackArchive(file, path.join(root, 'out'), isImage);
    for (const name of names) t.ok((await readFile(path.join(root, 'out', name))).length > 0, name);
    await writeFile(file, zip({ 'gr\x81n/1.png': solidPng(2, 2, 1) }, 'latin1'));
    await unpackArchive(file, path.join(root, 'dos'), isImage);
    t.strictSame(await readdir(path.join(root, 'dos')), ['grün']);
  },
);

for (const ending of ['.zip', '.tar'])
  t.test(`${ending}: what systems leave behind stays packed`, async (t) => {
    const root = t.testdir({});
    const names = ['Cat/1.png', 'Cat/._1.png', '__MACOSX/Cat/2.png', 'Cat/@eaDir/1.png', '.hidden/1.png'];
    const file = await archive(
      root,
      ending,
      Object.fromEntries(names.map((name) => [name, solidPng(2, 2, 1)])),
    );
    await unpackArchive(file, path.join(root, 'out'), isImage);
    const found = (await readdir(path.join(root, 'out'), { recursive: true })).filter(isImage);
    t.strictSame(found, ['Cat/1.png']);
  });

t.test('a damaged archive and an archive of another kind are refused by name', async (t) => {
  const root = t.testdir({ 'photos.rar': 'Rar!' });
  const into = path.join(root, 'out');
  await t.rejects(unpackArchive(path.join(root, 'photos.rar'), into, isImage), {
    name: 'FolderError',
    message: /photos\.rar: expected a folder, a \.zip, a \.tar or a \.tar\.gz/,
  });
  for (const ending of ['.zip', '.tar.gz']) {
    const file = await archive(root, ending);
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, Math.floor(bytes.length / 2)));
    await t.rejects(unpackArchive(file, into, isImage), {
      name: 'FolderError',
      message: new RegExp(`photos\\${ending}: cannot be unpacked: `),
    });
  }
});

t.test(
  'a name that points outside the folder of a zip is refused, and nothing is written there',
  async (t) => {
    const root = t.testdir({});
    const file = await archive(root, '.zip', { '../evil.png': solidPng(2, 2, 0) });
    await t.rejects(unpackArchive(file, path.join(root, 'out'), isImage), { name: 'FolderError' });
    t.notOk((await readdir(root)).includes('evil.png'));
  },
);

t.test('dogs-vs-cats from an archive: PetImages as a zip', async (t) => {
  const root = t.testdir({});
  const entries = Object.fromEntries(
    ['Cat', 'Dog'].flatMap((category) =>
      Array.from(
        { length: 10 },
        (_, n) => [`PetImages/${category}/${n}.png`, solidPng(3, 3, 5 * n)] as const,
      ),
    ),
  );
  const into = path.join(root, 'data');
  const prepared = await prepareDogsVsCats({ from: await archive(root, '.zip', entries), into });
  t.strictSame(prepared.counts, {
    train: { cat: 7, dog: 7 },
    val: { cat: 1, dog: 1 },
    test: { cat: 2, dog: 2 },
  });
  t.strictSame((await readdir(root)).sort(), ['data', 'photos.zip'], 'nothing half-made stays');
});
