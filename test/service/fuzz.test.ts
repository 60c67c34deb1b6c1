// damaged images and forms, made from a seed → each gets a prediction or a 4xx problem in time, and the server keeps running.
//
// QUATI_FUZZ_SECONDS=600 QUATI_FUZZ_SEED=7 node build/test/service/fuzz.test.js   for longer, with another seed
import t from 'tap';
import { animatedGif, jpeg, noise, png, solidPng, webp } from '../helpers/images.js';
import { mutate, seeded } from '../helpers/mutate.js';
import { createTestApp, form } from '../helpers/service.js';

const seconds = Number(process.env.QUATI_FUZZ_SECONDS ?? 1);
const firstSeed = Number(process.env.QUATI_FUZZ_SEED ?? 1);
const longestMs = 5000;
const good = solidPng(28, 28, 255);
const sources = [
  solidPng(28, 28, 90),
  png(28, 28, 3, noise(28 * 28 * 3)),
  png(40, 30, 4, noise(40 * 30 * 4)),
  await jpeg(40, 30, 90, 6),
  await webp(40, 30, 90),
  animatedGif(),
];
const forms = await Promise.all([
  form(['file', good]),
  form(['note', 'text'], ['file', good], ['other', good]),
]);

t.setTimeout(seconds * 1000 + 120_000);

const app = await createTestApp(t, { maxPixels: 1_000_000, maxUploadBytes: 200_000 });
const url = await app.listen({ port: 0, host: '127.0.0.1' });

interface Case {
  headers: Record<string, string>;
  payload: Buffer;
}

const kinds: Record<string, (seed: number) => Case> = {
  image(seed) {
    const source = sources[seed % sources.length] ?? good;
    return { headers: { 'content-type': 'image/png' }, payload: mutate(source, seeded(seed)) };
  },
  'form around a good image'(seed) {
    const { headers, payload } = forms[seed % forms.length] as Case;
    return { headers, payload: mutate(payload, seeded(seed)) };
  },
  boundary(seed) {
    const { headers, payload } = forms[seed % forms.length] as Case;
    const type = mutate(Buffer.from(headers['content-type'] ?? ''), seeded(seed));
    return { headers: { 'content-type': type.toString('latin1').replace(/[^\x20-\x7e]/g, '~') }, payload };
  },
};

for (const [kind, make] of Object.entries(kinds)) {
  t.test(`every damaged ${kind} gets a response below 500, and the memory stays bounded`, async (t) => {
    const until = performance.now() + (seconds * 1000) / Object.keys(kinds).length;
    const answers = new Map<number, number>();
    let settled = 0;
    for (let seed = firstSeed; performance.now() < until || seed < firstSeed + 50; seed++) {
      const { headers, payload } = make(seed);
      const start = performance.now();
      const { status, body } = await post(headers, payload);
      const took = performance.now() - start;
      answers.set(status, (answers.get(status) ?? 0) + 1);
      if (status >= 500 || took > longestMs) t.fail(`seed ${seed}: ${status} after ${took} ms: ${body}`);
      if (/\/src\/|node_modules|\n\s+at /.test(body)) t.fail(`seed ${seed}: tells of the inside: ${body}`);
      if (seed === firstSeed + 40) settled = process.memoryUsage().rss;
    }
    t.same(
      JSON.parse((await post({}, good)).body),
      { category: 'bright' },
      'the next good one is answered right',
    );
    t.ok(
      [...answers.keys()].some((status) => status >= 400),
      'something was refused',
    );
    const grown = (process.memoryUsage().rss - settled) / 2 ** 20;
    t.ok(grown < 200, `${Math.round(grown)} MiB more`);
    t.comment([...answers].map(([status, count]) => `${count} x ${status}`).join(', '));
  });
}

async function post(
  headers: Record<string, string>,
  payload: Buffer,
): Promise<{ status: number; body: string }> {
  const signal = AbortSignal.timeout(20_000);
  const response = await fetch(`${url}/predict`, {
    method: 'POST',
    headers,
    body: new Uint8Array(payload),
    signal,
  });
  return { status: response.status, body: await response.text() };
}
