// requests and pauses → the times of garbage collections, and their effect.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { collectInQuiet } from '../../src/service/quiet-collection.js';

const quietMs = 40;

async function startServer(t: Test): Promise<{ server: Server; ask(method: string): Promise<void> }> {
  const server = createServer((_request, response) => response.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    server,
    ask: async (method) => {
      await (await fetch(url, { method, headers: { connection: 'close' } })).arrayBuffer();
    },
  };
}

t.test('a quiet server collects twice, and twice again after the next upload', async (t) => {
  const { server, ask } = await startServer(t);
  let collected = 0;
  collectInQuiet(server, { quietMs, collect: () => collected++ });
  await sleep(10 * quietMs);
  t.equal(collected, 2);
  await ask('POST');
  await sleep(10 * quietMs);
  t.equal(collected, 4);
});

t.test('health checks do not count as activity, and uploads prevent a collection', async (t) => {
  const { server, ask } = await startServer(t);
  let collected = 0;
  collectInQuiet(server, { quietMs: 500, collect: () => collected++ });
  for (let i = 0; i < 30; i++) {
    await ask('POST');
    await sleep(50);
  }
  t.equal(collected, 0);
  await sleep(1800);
  t.equal(collected, 2);
  await ask('GET');
  await sleep(1200);
  t.equal(collected, 2);
});

t.test('V8 collects an object that nothing refers to any more', async (t) => {
  const { server } = await startServer(t);
  const garbage = new WeakRef({ held: 'by nobody' });
  t.ok(garbage.deref());
  collectInQuiet(server, { quietMs });
  await sleep(20 * quietMs);
  t.equal(garbage.deref(), undefined);
});
