// streams of random chunks, complete, too long or broken off → their bytes, or an error and no memory.
import { PassThrough, Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { freeBuffer } from '../../src/inference/free-buffer.js';
import { BodyRoom, type HeldBytes } from '../../src/service/body-room.js';
import { readBytes } from '../../src/service/read-bytes.js';
import { createRandom, type Random } from '../../src/toolkit/random.js';

const kib = 1024;
const maxBytes = 3000 * kib;

function read(
  stream: Readable,
  { held, expectedBytes }: { held?: HeldBytes; expectedBytes?: number | undefined } = {},
) {
  return readBytes(stream, {
    maxBytes,
    expectedBytes,
    held: held ?? new BodyRoom(Infinity).hold(),
    tooMany: () => new RangeError('too many'),
    what: 'upload',
  });
}

function randomChunks(random: Random): Buffer[] {
  const most = 10 ** (1 + 4 * random.next());
  return Array.from({ length: random.below(25) }, () =>
    Buffer.alloc(1 + Math.floor(random.next() * most), random.below(256)),
  );
}

t.test('the bytes are those of all chunks, whatever the sender announced', async (t) => {
  const random = createRandom(7, 'chunks');
  for (let i = 0; i < 60; i++) {
    const chunks = randomChunks(random);
    const all = Buffer.concat(chunks);
    const expectedBytes = [undefined, all.length, 0, all.length - 1, maxBytes, 10 * maxBytes, -1][i % 7];
    const { bytes, free } = await read(Readable.from(chunks), { expectedBytes });
    if (!bytes.equals(all)) t.fail(`stream ${i} of ${chunks.length} chunks, ${all.length} bytes`);
    free();
    free();
    if (chunks.length > 1) t.equal(bytes.length, 0);
  }
});

t.test('a stream that is refused in its middle is read to its end, and nothing else happens', async (t) => {
  const room = new BodyRoom(200 * kib);
  room.hold().add(100 * kib);
  const chunks = Array.from({ length: 100 }, () => Buffer.alloc(20 * kib));
  const full = Readable.from(chunks);
  await t.rejects(read(full, { held: room.hold() }), { code: 'queue_full' });
  const long = Readable.from([...chunks, ...chunks]);
  await t.rejects(read(long), /too many/);
  for (let i = 0; i < 1000 && !(full.readableEnded && long.readableEnded); i++) await nextTurn();
  t.ok(full.readableEnded && long.readableEnded);
});

t.test('a stream that breaks off or fails is an error', async (t) => {
  for (const end of [
    (stream: PassThrough) => stream.destroy(),
    (stream: PassThrough) => stream.destroy(new Error('reset')),
  ]) {
    const stream = new PassThrough();
    const reading = read(stream);
    stream.write(Buffer.alloc(10));
    stream.write(Buffer.alloc(10));
    await nextTurn();
    end(stream);
    await t.rejects(reading, /The upload broke off|reset/);
  }
});

t.test('memory that is freed is back at once', async (t) => {
  const resident = () => process.memoryUsage.rss() / 2 ** 20;
  const before = resident();
  for (let i = 0; i < 40; i++) {
    const buffer = new ArrayBuffer(50 * 2 ** 20);
    new Uint8Array(buffer).fill(i);
    freeBuffer(buffer);
    freeBuffer(buffer);
  }
  t.ok(resident() < before + 120, `${before} MB, then ${resident()} MB`);
});
