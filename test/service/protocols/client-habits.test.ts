// null for members that are not set, and base64 as clients write it, under /v1 and /v2 → the same response as the plain form.
import { deepEqual } from 'node:assert/strict';
import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { bareBase64 } from '../../../src/service/protocols/base64.js';
import { noise, png } from '../../helpers/images.js';
import { infer } from '../../helpers/protocols.js';
import { createTestApp } from '../../helpers/service.js';

const v1 = '/v1/models/brightness:predict';
const v2 = '/v2/models/brightness/infer';
const file = png(28, 28, 1, noise(28 * 28));
const base64 = file.toString('base64');
const image = { name: 'image', shape: [1], datatype: 'BYTES', data: [base64] };
const numbers = new Array(28 * 28).fill(0.5);

function predict(app: FastifyInstance, json: unknown) {
  return app.inject({ method: 'POST', url: v1, payload: JSON.stringify(json) });
}

t.test('null is an absent member in every optional place of /v2', async (t) => {
  const app = await createTestApp(t);
  const plain = await infer(app, v2, { inputs: [image] });
  t.equal(plain.statusCode, 200);
  const unset = {
    binary_data_size: null,
    binary_data: null,
    binary_data_output: null,
    classification: null,
    timeout: null,
    other: null,
  };
  const outputs = ['scores', 'probabilities'].map((name) => ({ name, parameters: null }));
  for (const json of [
    { id: null, parameters: null, inputs: [image], outputs: null },
    { parameters: unset, inputs: [{ ...image, parameters: null }] },
    { inputs: [{ ...image, parameters: unset }], outputs: [], model_name: null },
    { inputs: [image], outputs },
    { inputs: [image], outputs: outputs.map(({ name }) => ({ name, parameters: unset })) },
  ]) {
    const answer = await infer(app, v2, json);
    t.equal(answer.statusCode, 200, answer.body);
    t.same(answer.json(), plain.json());
  }
});

t.test('null as data is absent, if the tensor follows the JSON', async (t) => {
  const app = await createTestApp(t);
  const binary = Buffer.concat([Buffer.from(Uint32Array.of(file.length).buffer), file]);
  const sized = { ...image, data: null, parameters: { binary_data_size: binary.length } };
  t.equal((await infer(app, v2, { inputs: [sized] }, binary)).statusCode, 200);
});

t.test('null is an absent member in every optional place of /v1', async (t) => {
  const app = await createTestApp(t);
  const row = { b64: base64 };
  const rows = (await predict(app, { instances: [row] })).json();
  for (const json of [
    { signature_name: null, instances: [row] },
    { signature_name: null, instances: [row], inputs: null },
    { instances: [{ image: row, input: null }] },
    { instances: [{ ...row, name: null }] },
  ]) {
    const answer = await predict(app, json);
    t.equal(answer.statusCode, 200, answer.body);
    t.same(answer.json(), rows);
  }
  for (const json of [{ instances: null, inputs: [row] }, { inputs: { image: [row], input: null } }])
    t.same((await predict(app, json)).json(), { outputs: rows.predictions });
});

t.test('null where a value is needed is 400, in the form of the protocol', async (t) => {
  const app = await createTestApp(t);
  const bodies = [
    { inputs: null },
    { inputs: [null] },
    { inputs: [{ ...image, name: null }] },
    { inputs: [{ ...image, shape: null }] },
    { inputs: [{ ...image, datatype: null }] },
    { inputs: [{ ...image, data: null }] },
    { inputs: [{ ...image, data: [null] }] },
    {
      inputs: [{ name: 'input', shape: [1, 1, 28, 28], datatype: 'FP32', data: [...numbers.slice(1), null] }],
    },
  ];
  for (const json of bodies) {
    const answer = await infer(app, v2, json);
    t.equal(answer.statusCode, 400, JSON.stringify(json).slice(0, 80));
    t.match(answer.json(), { error: /\w/ });
  }
  for (const json of [{ instances: null }, { instances: [null] }, { instances: [{ b64: null }] }, null])
    t.equal((await predict(app, json)).statusCode, 400);
});

t.test('of a name that comes twice the last value counts, also if it is null', async (t) => {
  const app = await createTestApp(t);
  const text = JSON.stringify({ inputs: [image] }).replace('{', '{"id":"a","id":null,');
  t.notMatch((await infer(app, v2, text)).json(), { id: String });
});

/** What clients make of one text, and what the server then reads. */
const spellings: Record<string, (text: string) => string> = {
  'a newline at the end, as of base64 in a shell': (text) => `${text}\n`,
  'lines of 76 characters, as of base64 and MIME': (text) => text.replace(/.{76}/g, '$&\n'),
  'lines with a carriage return, as of email and Android': (text) => text.replace(/.{76}/g, '$&\r\n'),
  'lines of 64 characters, as of PEM': (text) => `${text.replace(/.{64}/g, '$&\n')}\n`,
  'spaces and tabs in odd places': (text) => ` ${text.replace(/.{5}/g, '$&\t ')} `,
  'white space between the padding': (text) => text.replace(/=/g, '=\n'),
  'the alphabet of URLs, without padding': (text) => Buffer.from(text, 'base64').toString('base64url'),
  'a data: URI, as of a canvas': (text) => `data:image/png;base64,${text}`,
  'a data: URI in capitals': (text) => `DATA:IMAGE/PNG;BASE64,${text}`,
  'a data: URI with parameters': (text) => `data:image/jpeg;charset="utf-8";name=a.jpg;base64,${text}`,
  'a data: URI of another image type': (text) => `data:image/svg+xml;base64,${text}`,
  'a data: URI of a file without a type': (text) => `data:application/octet-stream;base64,${text}`,
  'a data: URI without a type': (text) => `data:;base64,${text}`,
  'a data: URI with white space': (text) => `\n data:image/png;base64, ${text.replace(/.{76}/g, '$&\r\n')}\n`,
  'a data: URI with escapes': (text) => `data:image/png;base64,${encodeURIComponent(text)}`,
};

for (const [name, spell] of Object.entries(spellings))
  t.test(`base64 with ${name} is the same image`, async (t) => {
    const app = await createTestApp(t);
    // Files of three lengths have all three paddings.
    for (const extra of [0, 1, 2]) {
      const text = Buffer.concat([file, Buffer.alloc(extra)]).toString('base64');
      const rows = await predict(app, { instances: [{ b64: spell(text) }] });
      t.equal(rows.statusCode, 200, rows.body);
      t.same(rows.json(), (await predict(app, { instances: [{ b64: base64 }] })).json());
      t.equal((await infer(app, v2, { inputs: [{ ...image, data: [spell(text)] }] })).statusCode, 200);
    }
  });

t.test('what is no base64 is 400', async (t) => {
  const app = await createTestApp(t);
  for (const wrong of [
    '',
    ' \n',
    'data:image/png;base64,',
    `data:image/png,${base64}`,
    `data:image/png;base64${base64}`,
    `data:image/png;base64,%zz${base64}`,
    `data:${'x'.repeat(2000)};base64,${base64}`,
    `%2B${base64}`,
    `b'${base64}'`,
    `${base64}\u00a0`,
  ]) {
    const answer = await predict(app, { instances: [{ b64: wrong }] });
    t.equal(answer.statusCode, 400, wrong.slice(0, 40));
    t.match(answer.json(), { error: /expected an image file in base64 or as a data: URI in base64/ });
  }
});

t.test('white space and the head of a URI do not count against the bytes of an image', async (t) => {
  const app = await createTestApp(t, { maxUploadBytes: file.length });
  for (const text of [base64.replace(/./g, '$&\n'), `data:image/png;base64,${base64}`]) {
    t.equal((await predict(app, { instances: [{ b64: text }] })).statusCode, 200);
    const longer = text.replace(/=*\n*$/, `${'A'.repeat(8)}`);
    t.equal((await predict(app, { instances: [{ b64: longer }] })).statusCode, 413);
  }
});

t.test('a long text is condensed in pieces, with pauses between them', async (t) => {
  const long = Buffer.from(noise(1_000_000)).toString('base64');
  let pauses = 0;
  const pause = async () => void pauses++;
  const lines = Buffer.from(JSON.stringify(long.replace(/.{76}/g, '$&\r\n')).slice(1, -1));
  const bare = await bareBase64({ bytes: lines, isEscaped: true }, pause);
  deepEqual(bare, Buffer.from(long));
  t.ok(pauses > 15, `${pauses} pauses`);
  const same = Buffer.from(long);
  t.equal(await bareBase64({ bytes: same, isEscaped: false }, pause), same, 'plain base64 is not copied');
});
