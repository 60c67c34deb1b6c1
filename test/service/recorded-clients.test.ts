// requests of real clients, byte for byte over a socket (test/fixtures/clients) → the category of their image.
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { projectFolder } from '../helpers/project.js';
import { createTestApp } from '../helpers/service.js';

const folder = path.join(projectFolder, 'test/fixtures/clients');
const recordings = (await readdir(folder)).filter((file) => file.endsWith('.http')).sort();
const app = await createTestApp(t);
const port = Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port);

/** @returns what arrives until the response to the POST is complete. */
async function replay(chunks: readonly Buffer[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  await once(socket, 'connect');
  for (const chunk of chunks) {
    socket.write(chunk);
    if (chunks.length > 1) await sleep(2);
  }
  const end = Date.now() + 10_000;
  while (!/\r\n\r\n\{.*\}$/.test(received) && Date.now() < end) await sleep(2);
  socket.destroy();
  return received;
}

t.ok(recordings.length >= 40, `${recordings.length} recordings`);

for (const name of recordings)
  t.test(`${name} is answered`, async (t) => {
    const bytes = await readFile(path.join(folder, name));
    const body = bytes.indexOf('\r\n\r\n') + 4;
    const split = [bytes.subarray(0, body), bytes.subarray(body, body + 90), bytes.subarray(body + 90)];
    for (const chunks of [[bytes], split]) {
      const response = await replay(chunks);
      if (/expect: 100-continue/i.test(bytes.toString('latin1', 0, body)))
        t.match(response, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP/);
      t.match(response, /HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n\{"category":"bright"\}$/);
    }
  });

t.test('no recording names a machine, a user or a folder', async (t) => {
  for (const name of recordings) {
    const text = await readFile(path.join(folder, name), 'latin1');
    t.match(text, /\r\nhost: 127\.0\.0\.1(:8765)?\r\n/i, name);
    t.notMatch(text, /\/(home|root|tmp|usr)\b/, name);
  }
});
