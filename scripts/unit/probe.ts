// In the machine's network: one request or many connections → exit code 0, and the response on standard output.
//
//   ready <url> <milliseconds>          waits for a success status
//   post <url> <file>                   the response to an upload
//   crowd <url> <file> <connections>    the same with other open connections
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , what = '', url = '', ...rest] = process.argv;
const [first = '', second = ''] = rest;
if (what === 'ready') await waitUntilReady(Number(first));
else {
  if (what === 'crowd') await openConnections(Number(second));
  process.stdout.write(await post(first));
}
process.exit();

async function waitUntilReady(timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  let last = '';
  while (performance.now() < end) {
    const answer = await fetch(url).catch((error: Error) => error);
    if ('ok' in answer && answer.ok) return;
    last = 'ok' in answer ? `${answer.status} ${await answer.text()}` : answer.message;
    await sleep(50);
  }
  throw new Error(`${url}: not ready within ${timeoutMs} ms: ${last}`);
}

/** Each connection has sent half a request, so it is in use and waits. */
async function openConnections(count: number): Promise<void> {
  const { hostname, port } = new URL(url);
  for (let i = 0; i < count; i++) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\n');
  }
}

/** Posts a form, like `curl -F file=@<file>`. */
async function post(file: string): Promise<string> {
  const form = new FormData();
  form.set('file', new Blob([await readFile(file)]), 'image.png');
  const response = await fetch(url, { method: 'POST', body: form });
  return await response.text();
}
