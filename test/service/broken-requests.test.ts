// requests that break HTTP's rules or have odd targets, over real sockets → a refusal in the form of the path, and a server that still responds.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { solidPng } from '../helpers/images.js';
import { createTestApp } from '../helpers/service.js';

const app = await createTestApp(t, { headersTimeoutMs: 400, requestTimeoutMs: 800 });
const port = Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port);

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

function open(): Socket {
  return connect({ port, host: '127.0.0.1' }).on('error', () => {});
}

/** Everything that arrives until the server closes the connection. */
async function send(...chunks: string[]): Promise<string> {
  const socket = open();
  const all = text(socket);
  for (const chunk of chunks) {
    socket.write(chunk, 'latin1');
    if (chunks.length > 1) await sleep(30);
  }
  return await all;
}

function parse(response: string): Answer {
  const [head = '', ...rest] = response.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const pairs = lines.map((line): [string, string] => {
    const [name = '', ...value] = line.split(': ');
    return [name.toLowerCase(), value.join(': ')];
  });
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(pairs),
    body: rest.join('\r\n\r\n'),
  };
}

type Test = Pick<typeof t, 'equal' | 'same' | 'match'>;

const prefixes = { '': 'problem', '/v1': 'protocol', '/v2': 'protocol' } as const;

/** Checks that the response is one body in the form of the path, with no bytes after it. */
function checkForm(t: Test, answer: Answer, form: 'problem' | 'protocol', status: number): void {
  t.equal(answer.status, status);
  t.equal(Number(answer.headers['content-length']), Buffer.byteLength(answer.body));
  const body = JSON.parse(answer.body);
  if (form === 'protocol') {
    t.same(Object.keys(body), ['error']);
    t.match(body.error, /\w/);
    t.match(answer.headers['content-type'], /^application\/json/);
  } else {
    t.same(Object.keys(body), ['type', 'title', 'status', 'detail', 'code', 'requestId']);
    t.equal(body.status, status);
    t.equal(body.requestId, answer.headers['x-request-id']);
    t.match(answer.headers['content-type'], /^application\/problem\+json/);
  }
  t.match(answer.headers['x-request-id'], /^[\w-]+$/);
}

const end = 'connection: close\r\n\r\n';
const get = (target: string, ...headers: string[]) =>
  `GET ${target} HTTP/1.1\r\n${['host: x', ...headers].map((line) => `${line}\r\n`).join('')}${end}`;

/** Each is refused with the status, whatever its prefix is. */
const broken: Record<string, [status: number, request: (prefix: string) => string | string[]]> = {
  'no host': [400, (prefix) => `GET ${prefix}/models/a HTTP/1.1\r\n${end}`],
  'two hosts': [400, (prefix) => get(`${prefix}/models/a`, 'host: y')],
  'no host in absolute form': [400, (prefix) => `GET http://x${prefix}/models/a HTTP/1.1\r\n${end}`],
  'an unknown expectation': [417, (prefix) => get(`${prefix}/models/a`, 'expect: something')],
  'an unknown expectation with a body': [
    417,
    (prefix) => `POST ${prefix}/predict HTTP/1.1\r\nhost: x\r\nexpect: x\r\ncontent-length: 3\r\n${end}abc`,
  ],
  'an unknown path in absolute form': [404, (prefix) => get(`http://x${prefix}/none`)],
  'an unknown path in absolute form, with a user': [
    404,
    (prefix) => get(`HTTPS://a:b@x:1${prefix}/none?q=1`),
  ],
  'a wrong method in absolute form': [
    405,
    (prefix) => `DELETE http://x${prefix}/models/a HTTP/1.1\r\nhost: x\r\n${end}`,
  ],
  'a broken escape': [400, (prefix) => get(`${prefix}/models/%zz`)],
  'an incomplete escape': [400, (prefix) => get(`${prefix}/models/%4`)],
  'an escape that is not UTF-8': [400, (prefix) => get(`${prefix}/models/%ff`)],
  'an escaped NUL': [404, (prefix) => get(`${prefix}/models/a%00`)],
  'a raw NUL': [400, (prefix) => get(`${prefix}/models/a\0`)],
  'bytes above ASCII': [400, (prefix) => get(`${prefix}/models/\xe4`)],
  'a target of 8 KB': [404, (prefix) => get(`${prefix}/models/${'a'.repeat(8000)}`)],
  'a target of 20 KB': [431, (prefix) => get(`${prefix}/models/${'a'.repeat(20_000)}`)],
  'a header of 20 KB': [431, (prefix) => get(`${prefix}/models/a`, `x: ${'a'.repeat(20_000)}`)],
  'a header without a colon': [400, (prefix) => get(`${prefix}/models/a`, 'nonsense')],
  'a header with a space in its name': [400, (prefix) => get(`${prefix}/models/a`, 'a b: c')],
  'a control character in a header': [400, (prefix) => get(`${prefix}/models/a`, 'a: \x01')],
  'an unknown method': [400, (prefix) => `FETCH ${prefix}/models HTTP/1.1\r\nhost: x\r\n${end}`],
  'a method that no route accepts': [
    405,
    (prefix) => `PROPFIND ${prefix}/models/a HTTP/1.1\r\nhost: x\r\n${end}`,
  ],
  'an unknown HTTP version': [400, (prefix) => `GET ${prefix}/models/a HTTP/9.1\r\nhost: x\r\n${end}`],
  'a length that is not a number': [
    400,
    (prefix) => `POST ${prefix}/predict HTTP/1.1\r\nhost: x\r\ncontent-length: ten\r\n${end}`,
  ],
  'a negative length': [
    400,
    (prefix) => `POST ${prefix}/predict HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n${end}`,
  ],
  'two lengths': [
    400,
    (prefix) =>
      `POST ${prefix}/predict HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n${end}ab`,
  ],
  'a length and chunks': [
    400,
    (prefix) =>
      `POST ${prefix}/predict HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n${end}`,
  ],
  'an unknown transfer encoding': [
    400,
    (prefix) => `POST ${prefix}/predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n${end}`,
  ],
  'a chunk without a length': [
    400,
    (prefix) => [
      `POST ${prefix}/models/brightness${prefix === '/v1' ? ':predict' : '/infer'} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`,
      'zz\r\n',
    ],
  ],
};

for (const [title, [status, request]] of Object.entries(broken))
  for (const [prefix, form] of Object.entries(prefixes))
    t.test(`${title} below ${prefix || '/'}: ${status}`, async (t) => {
      // Only the protocols have a route that reads this body.
      if (title === 'a chunk without a length' && form === 'problem') return;
      checkForm(t, parse(await send(...[request(prefix)].flat())), form, status);
      t.match(await send(get('/health/live')), /^HTTP\/1.1 200 /);
    });

t.test('bytes that are not HTTP are a bad request in both forms, because they have no path', async (t) => {
  for (const bytes of [
    'nonsense\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00',
    '\0\0\0\0\r\n\r\n',
    ': x\r\n\r\n',
  ]) {
    const answer = parse(await send(bytes));
    t.equal(answer.status, 400, JSON.stringify(bytes));
    t.match(JSON.parse(answer.body), {
      code: 'bad_request',
      error: /not valid HTTP/,
      detail: /not valid HTTP/,
    });
  }
});

t.test('late headers are 408, and so is a late body', async (t) => {
  const [head, body] = await Promise.all([
    send('GET /v1/models/a HTTP/1.1\r\nhost: x\r\n'),
    send('POST /v2/models/brightness/infer HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{'),
  ]);
  t.match(JSON.parse(parse(head).body), { code: 'request_timeout', error: /in time/ });
  checkForm(t, parse(body), 'protocol', 408);
});

t.test('headers that break in a later packet are refused in both forms', async (t) => {
  const answer = parse(await send('GET /v1/models/a HTTP/1.1\r\nhost: x\r\n', 'nonsense\r\n\r\n'));
  t.match(JSON.parse(answer.body), { status: 400, code: 'bad_request', error: String });
});

t.test('a target in absolute form gets the same response as in origin form', async (t) => {
  const plain = parse(await send(get('/models')));
  for (const target of [
    'http://x/models',
    'http://other.example:80/models',
    'HTTPS://x/models',
    'http://x/models?',
  ])
    t.equal(parse(await send(get(target))).body, plain.body, target);
  t.match(parse(await send(get('http://x'))).headers['content-type'], /^text\/html/);
  t.match(parse(await send(get('http://x/v1/models/brightness'))).body, /model_version_status/);
  for (const target of ['ftp://x/models', '*'])
    t.match(JSON.parse(parse(await send(get(target))).body), { status: 400, code: 'bad_request' });
});

t.test('HTTP/1.0 needs no host, and its expectations are ignored', async (t) => {
  t.match(await send('GET /health/live HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 200 /);
  t.match(await send('GET /health/live HTTP/1.0\r\nexpect: tea\r\n\r\n'), /^HTTP\/1.1 200 /);
});

t.test('the server answers 100-continue first, and then the request', async (t) => {
  const image = solidPng(28, 28, 255);
  const socket = open();
  const all = text(socket);
  socket.write(
    `POST /predict HTTP/1.1\r\nhost: x\r\nexpect: 100-Continue\r\ncontent-type: image/png\r\ncontent-length: ${image.length}\r\n${end}`,
  );
  await sleep(50);
  socket.write(image);
  t.match(await all, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK[\s\S]*\{"category":"bright"\}$/);
});

t.test('CONNECT is refused, and no websocket is opened', async (t) => {
  checkForm(
    t,
    parse(await send('CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\n\r\n')),
    'problem',
    405,
  );
  t.match(
    await send(
      'GET /health/live HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade, close\r\n\r\n',
    ),
    /^HTTP\/1.1 200 /,
  );
});

t.test('dot segments are not resolved: there is no such path', async (t) => {
  for (const target of [
    '/docs/../models',
    '/docs/./../models',
    '/docs/%2e%2e/models',
    '/docs/..%2fmodels',
    '/docs/%2e./models',
    '/docs/\\..\\models',
    '/docs/static/../../models',
    '/docs/static/..%2f..%2fpackage.json',
    '/docs/..',
    '/docs/.',
    '/docs/../docs',
    '/../etc/passwd',
    '/public/../models',
    '/../v1/models/brightness',
    '/health/../models',
  ]) {
    const answer = parse(await send(get(target)));
    checkForm(t, answer, 'problem', 404);
    t.match(JSON.parse(answer.body).detail, 'There is nothing at', target);
  }
  for (const target of [
    '/v1/../models',
    '/v2/../v1/models/brightness',
    '/v1/models/..',
    '/v2/models/./infer/..',
  ])
    checkForm(t, parse(await send(get(target))), 'protocol', 404);
});

t.test('below /docs, refusals have the same form as on other paths', async (t) => {
  for (const target of [
    '/docs/static/swagger-ui.css%00',
    '/docs/static/%00',
    '/docs/%00',
    '/docs/static/none',
    '/docs/models',
    '/docs//models',
    '/docs/static//etc/passwd',
    '/docs/static/.npmrc',
    `/docs/static/${'a'.repeat(5000)}`,
  ])
    checkForm(t, parse(await send(get(target))), 'problem', 404);
  for (const header of ['range: bytes=99999999-', 'if-match: "x"', 'if-unmodified-since: x', 'accept: x/y'])
    t.match(await send(get('/docs/static/index.css', header)), /^HTTP\/1.1 200 /, header);
});

t.test('broken bytes behind a request are refused after the response to that request', async (t) => {
  const good = 'GET /v1/models/brightness HTTP/1.1\r\nhost: x\r\n\r\n';
  const response = await send(`${good}FETCH /models HTTP/1.1\r\n\r\n`);
  const [first, second] = response.split(/(?=HTTP\/1\.1 400)/);
  t.match(first, /^HTTP\/1.1 200 OK[\s\S]*model_version_status/);
  checkForm(t, parse(second ?? ''), 'problem', 400);
});

t.test('a refusal arrives although the client is still sending', async (t) => {
  const socket = open();
  const all = text(socket);
  socket.write(`GET /v2/models/a HTTP/1.1\r\nhost: x\r\nlong: ${'x'.repeat(60_000)}`);
  for (let i = 0; i < 20; i++) {
    socket.write('x'.repeat(60_000));
    await sleep(2);
  }
  checkForm(t, parse(await all), 'protocol', 431);
});

t.test('a server still works after a client closed its connection in the middle of a request', async (t) => {
  for (const bytes of [
    '',
    'GET',
    'GET /models HTTP/1.1\r\nhost',
    'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx',
  ]) {
    const socket = open();
    await once(socket, 'connect');
    socket.write(bytes);
    await sleep(5);
    socket.resetAndDestroy();
  }
  t.match(await send(get('/health/live')), /^HTTP\/1.1 200 /);
});
