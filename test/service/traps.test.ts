// cases that the libraries accept by default: late requests, bytes after an image, files that nobody reads.
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { gif, png, solidPng } from '../helpers/images.js';
import { createTestApp, form, postForm } from '../helpers/service.js';

t.test('late headers and slow bodies are 408, and their connections are closed', async (t) => {
  const app = await listening(t, { headersTimeoutMs: 300, requestTimeoutMs: 600 });
  const started = performance.now();
  const [headers, body] = [open(app), open(app)];
  headers.write('POST /predict HTTP/1.1\r\nhost: x\r\n');
  body.write('POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: 1000\r\n\r\n');
  const answers = [text(headers), text(body)];
  const trickle = setInterval(() => body.write('.'), 50);
  t.teardown(() => clearInterval(trickle));
  for (const answer of answers) t.match(await answer, /^HTTP\/1.1 408 [\s\S]*"code":"request_timeout"/);
  t.ok(performance.now() - started < 8000);
  t.equal((await app.inject('/health/live')).statusCode, 200);
});

t.test('bytes after the end of an image are ignored by both decoders', async (t) => {
  const app = await createTestApp(t);
  const rest = Buffer.from('PK\x03\x04<script>alert(1)</script>');
  const large = png(56, 56, 1, new Uint8Array(56 * 56).fill(255));
  for (const image of [solidPng(28, 28, 255), large, gif()]) {
    const [plain, longer] = await Promise.all(
      [image, Buffer.concat([image, rest])].map((payload) =>
        app.inject({ method: 'POST', url: '/predict', payload, headers: { 'content-type': 'image/png' } }),
      ),
    );
    t.equal(plain?.statusCode, 200);
    t.equal(longer?.body, plain?.body);
  }
});

t.test(
  'a file over the limit, followed by more parts, is 413, and its connection stays usable',
  async (t) => {
    const app = await listening(t, { maxUploadBytes: 1000 });
    const { headers, payload } = await form(['file', Buffer.alloc(20_000)], ['file', Buffer.alloc(20_000)]);
    const socket = open(app);
    socket.write(
      `POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: ${headers['content-type']}\r\ncontent-length: ${payload.length}\r\n\r\n`,
    );
    socket.write(payload);
    const [first] = await once(socket, 'data');
    t.match(String(first), /^HTTP\/1.1 413 [\s\S]*"code":"too_many_bytes"/);
    socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    t.match(await text(socket), /HTTP\/1.1 200 OK/);
  },
);

t.test(
  'the requested variant is used; 404 if the model lacks it, 400 if no such variant exists',
  async (t) => {
    const app = await createTestApp(t, {
      models: [{ variants: ['float32', 'int8'], defaultVariant: 'int8' }],
    });
    const ask = async (query: string) =>
      await postForm(app, `/predict?top=1&${query}`, await form(['file', solidPng(28, 28, 255)]));
    for (const variant of ['float32', 'int8'])
      t.match((await ask(`variant=${variant}`)).json(), { category: 'bright', model: { variant } });
    t.match((await ask('variant=binary')).json(), {
      code: 'model_not_found',
      detail: 'brightness version 1 has no variant binary; it has float32, int8',
    });
    t.match((await ask('variant=int4')).json(), { status: 400, code: 'bad_request', detail: /variant/ });
  },
);

type Tap = Parameters<typeof createTestApp>[0];

async function listening(t: Tap, settings: Parameters<typeof createTestApp>[1]): Promise<FastifyInstance> {
  const app = await createTestApp(t, settings);
  await app.listen({ port: 0, host: '127.0.0.1' });
  await sleep(0);
  return app;
}

function open(app: FastifyInstance): Socket {
  const { port } = app.server.address() as AddressInfo;
  return connect({ port, host: '127.0.0.1' }).on('error', () => {});
}
