// forms with parts that nobody reads, of many clients → their image is classified; a flood of parts is bounded.
import { request } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { solidPng } from '../helpers/images.js';
import { createTestApp } from '../helpers/service.js';

const maxUploadBytes = 1_000_000;
const good = solidPng(28, 28, 255);
const app = await createTestApp(t, { maxUploadBytes });
const url = await app.listen({ port: 0, host: '127.0.0.1' });

/** The head of a part, and its content. */
type Part = [head: string, content: string | Buffer];

const file: Part = ['Content-Disposition: form-data; name="file"; filename="a.png"', good];
const field = (name: string, value = '1', type = ''): Part => [
  `Content-Disposition: form-data; name="${name}"${type && `\r\nContent-Type: ${type}`}`,
  value,
];

function write(parts: readonly Part[], boundary = 'x'): Buffer {
  const all = parts.flatMap(([head, content]) => [`--${boundary}\r\n${head}\r\n\r\n`, content, '\r\n']);
  return Buffer.concat([...all, `--${boundary}--\r\n`].map((part) => Buffer.from(part as string)));
}

function post(payload: Buffer, headers: Record<string, string> = {}, boundary = 'x') {
  const type = `multipart/form-data; boundary=${boundary}`;
  return app.inject({
    method: 'POST',
    url: '/predict',
    headers: { 'content-type': type, ...headers },
    payload,
  });
}

const unread: Record<string, Part[]> = {
  'an empty JSON part': [field('meta', '', 'application/json')],
  'a JSON part that is none': [field('meta', '{', 'application/json; charset=utf-8')],
  'a JSON part with a prototype': [field('meta', '{"__proto__":{"a":1}}', 'application/json')],
  'seventeen fields': Array.from({ length: 17 }, (_, i) => field(`f${i}`)),
  'three hundred fields': Array.from({ length: 300 }, (_, i) => field(`f${i}`)),
  'names of the prototype of objects': ['toString', '__proto__', 'constructor', 'hasOwnProperty'].map(
    (name) => field(name),
  ),
  'files with names of the prototype': ['toString', '__proto__'].map((name) => [
    `Content-Disposition: form-data; name="${name}"; filename="toString"`,
    good,
  ]),
  'fifteen other files': Array.from({ length: 15 }, (_, i) => [
    `Content-Disposition: form-data; name="f${i}"; filename="a.png"`,
    good,
  ]),
  'a text of 60 KB': [field('note', 'long '.repeat(12_000))],
  'an unknown character set': [field('note', 'text', 'text/plain; charset=none')],
  'a part without a name': [['Content-Disposition: form-data', 'text']],
  'a part without a disposition': [['Content-Type: text/plain', 'text']],
  'a part of another disposition': [['Content-Disposition: attachment; name="file"; filename="a.png"', good]],
  'a part without content': [field('empty', '')],
};

for (const [name, parts] of Object.entries(unread))
  for (const place of ['before', 'after'])
    t.test(`${name} ${place} the file changes nothing`, async (t) => {
      const answer = await post(write(place === 'before' ? [...parts, file] : [file, ...parts]));
      t.same([answer.statusCode, answer.json()], [200, { category: 'bright' }]);
    });

const handmade: Record<string, string> = {
  'no quotes': 'Content-Disposition: form-data; name=file; filename=a.png',
  'lower case and no space': 'content-disposition:form-data;name="file";filename="a.png"',
  'an empty filename': 'Content-Disposition: form-data; name="file"; filename=""',
  'the filename first': 'Content-Disposition: form-data; filename="a.png"; name="file"',
  'a path as filename': 'Content-Disposition: form-data; name="file"; filename="C:\\fakepath\\a.png"',
  'a filename in UTF-8': 'Content-Disposition: form-data; name="file"; filename="maçã.png"',
  'an extended filename': 'Content-Disposition: form-data; name="file"; filename*=UTF-8\'\'a.png',
  'a length of the part':
    'Content-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Length: 99\r\nContent-Type: image/png',
  'a transfer encoding':
    'Content-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Transfer-Encoding: binary',
  'bytes without a filename':
    'Content-Disposition: form-data; name="file"\r\nContent-Type: application/octet-stream',
};

for (const [name, head] of Object.entries(handmade))
  t.test(`a part with ${name} is the file`, async (t) => {
    for (const boundary of ['x', '----WebKitFormBoundary7MA4YWxk', "a'()+_,-./:=?b"]) {
      const header = { 'content-type': `multipart/form-data; boundary="${boundary}"` };
      const answer = await post(write([[head, good]], boundary), header);
      t.equal(answer.statusCode, 200, answer.body);
    }
  });

t.test(
  'a form may begin with an empty line or a preamble, and end without one or with an epilogue',
  async (t) => {
    const form = write([file]);
    for (const payload of [
      form.subarray(0, -2),
      Buffer.concat([Buffer.from('\r\n'), form]),
      Buffer.concat([Buffer.from('This is a form.\r\n'), form, Buffer.from('\r\nand its end')]),
    ])
      t.equal((await post(payload)).statusCode, 200);
  },
);

t.test('a form without its last boundary is 400, because the file may be cut off', async (t) => {
  t.equal((await post(write([file]).subarray(0, -7))).statusCode, 400);
});

t.test('a file without a filename is 400, and the problem says so', async (t) => {
  for (const type of ['', 'image/jpeg', 'image/png'])
    for (const parts of [[field('file', 'bytes', type)], [field('a'), field('file', '', type), file]]) {
      const answer = await post(write(parts));
      t.equal(answer.statusCode, 400);
      t.match(answer.json(), { code: 'bad_request', detail: /"file" has no filename.*curl -F file=@/ });
    }
});

t.test('a form without the field names a few of the others, each cut', async (t) => {
  const parts = Array.from({ length: 500 }, (_, i) => field(`${i}-${'n'.repeat(1000)}`));
  const { detail } = (await post(write(parts))).json();
  t.match(detail, /^The form has no field "file"; it has 0-nnn/);
  t.ok(detail.length < 1000, `${detail.length} characters`);
  t.match((await post(write([field('toString')]))).json().detail, /it has toString$/);
});

for (const framing of ['declared', 'chunked'] as const)
  t.test(`a form of unread parts has the limit of the body (${framing})`, async (t) => {
    const parts = write([field('note', 'x'.repeat(maxUploadBytes + 66_000)), file]);
    const fits = write([field('note', 'x'.repeat(maxUploadBytes)), file]);
    t.same(await send(fits, framing), 200);
    t.same(await send(parts, framing), 413);
  });

t.test('a flood of parts is refused before most of it is parsed', async (t) => {
  for (const part of ['--x\r\n', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n']) {
    const flood = Buffer.from(part.repeat(Math.floor(maxUploadBytes / part.length)));
    t.equal(await send(Buffer.concat([flood, write([file])]), 'chunked'), 400);
  }
  const answer = await post(write(Array.from({ length: 1001 }, () => field('a'))));
  t.match(answer.json(), { code: 'bad_request', detail: 'The form has more than 1000 parts' });
  t.equal((await post(write([...Array.from({ length: 999 }, () => field('a')), file]))).statusCode, 200);
});

const encoders = { gzip: gzipSync, deflate: deflateSync, 'x-gzip': gzipSync, ' GZIP ': gzipSync };

for (const [encoding, encode] of Object.entries(encoders))
  t.test(`an upload with Content-Encoding: ${encoding} is decompressed`, async (t) => {
    const headers = { 'content-encoding': encoding };
    t.same((await post(encode(write([file])), headers)).json(), { category: 'bright' });
    const raw = await post(encode(good), { ...headers, 'content-type': 'image/png' });
    t.same(raw.json(), { category: 'bright' });
  });

t.test('Content-Encoding: identity or none is a plain upload', async (t) => {
  for (const encoding of ['identity', ''])
    t.equal((await post(write([file]), { 'content-encoding': encoding })).statusCode, 200);
});

t.test('another Content-Encoding is 415, and the problem names it and the remedy', async (t) => {
  for (const encoding of ['br', 'zstd', 'gzip, gzip', 'base64'])
    for (const type of ['image/png', 'multipart/form-data; boundary=x']) {
      const headers = { 'content-encoding': encoding, 'content-type': type };
      const answer = await post(brotliCompressSync(good), headers);
      t.equal(answer.statusCode, 415);
      t.match(answer.json(), {
        code: 'unsupported_type',
        detail: `got ${encoding}: send the body without it`,
      });
    }
});

t.test('a body that is not what its Content-Encoding says, or is cut off, is 400', async (t) => {
  const headers = { 'content-encoding': 'gzip' };
  for (const type of ['image/png', 'multipart/form-data; boundary=x'])
    for (const payload of [good, gzipSync(good).subarray(0, -12), gzipSync(write([file])).subarray(0, 40)]) {
      const answer = await post(payload, { ...headers, 'content-type': type });
      t.equal(answer.statusCode, 400, answer.body);
    }
  t.equal((await post(Buffer.alloc(0), { ...headers, 'content-type': 'image/png' })).statusCode, 400);
});

t.test('a compressed body has the limit of an upload before and after decompression', async (t) => {
  const bomb = gzipSync(Buffer.alloc(200_000_000), { level: 1 });
  const headers = { 'content-encoding': 'gzip', 'content-type': 'image/png' };
  const before = process.memoryUsage().rss;
  for (const type of ['image/png', 'multipart/form-data; boundary=x']) {
    const answer = await post(bomb, { ...headers, 'content-type': type });
    t.equal(answer.statusCode, 413);
    t.match(answer.json(), { code: 'too_many_bytes' });
  }
  const form = Buffer.concat([write([file]).subarray(0, -5), Buffer.alloc(100_000_000)]);
  t.equal((await post(gzipSync(form, { level: 1 }), { 'content-encoding': 'gzip' })).statusCode, 413);
  t.ok(process.memoryUsage().rss - before < 400_000_000);
  // An empty block of deflate has bytes before decompression and none after it.
  const empty = Buffer.concat([
    gzipSync('').subarray(0, 10),
    Buffer.alloc(2_000_000, Buffer.from([0, 0, 0, 255, 255])),
  ]);
  t.equal(await send(empty, 'chunked', headers), 413);
  t.same((await post(write([file]))).json(), { category: 'bright' });
});

function send(
  body: Buffer,
  framing: 'declared' | 'chunked',
  headers: Record<string, string> = { 'content-type': 'multipart/form-data; boundary=x' },
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const length = framing === 'declared' ? { 'content-length': body.length } : {};
    const sending = request(`${url}/predict`, { method: 'POST', headers: { ...headers, ...length } });
    sending.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sending.on('error', reject);
    for (let at = 0; at < body.length; at += 65_536) sending.write(body.subarray(at, at + 65_536));
    sending.end();
  });
}
