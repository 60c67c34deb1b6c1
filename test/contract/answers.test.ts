// the responses of the service, compared with their schemas in openapi.json. The service itself does not filter responses.
import t from 'tap';
import { Compile } from 'typebox/schema';
import { solidPng } from '../helpers/images.js';
import { createTestApp } from '../helpers/service.js';

const brokenCard = (card: object) => ({ ...card, title: 1 });
const app = await createTestApp(t, {
  models: [{ version: 1 }, { version: 2, change: brokenCard }, { name: 'moved', change: brokenCard }],
  defaultModel: 'brightness',
});
const contract = (await app.inject('/openapi.json')).json();

/** A $ref of a document resolves only from its root. */
function promised(path: string, method: string, status: number, type: string): object {
  const { schema } = contract.paths[path][method].responses[status].content[type];
  const whole = { ...schema, $defs: contract.components.schemas };
  return JSON.parse(JSON.stringify(whole).replaceAll('#/components/schemas/', '#/$defs/'));
}

const png = solidPng(28, 28, 255);
const asked: { path: string; url?: string; body?: Buffer; status: number }[] = [
  { path: '/models', status: 200 },
  { path: '/models/{name}', url: '/models/brightness', status: 200 },
  { path: '/models/{name}', url: '/models/moved', status: 200 },
  { path: '/models/{name}', url: '/models/none', status: 404 },
  { path: '/health/live', status: 200 },
  { path: '/health/ready', status: 503 },
  { path: '/predict', body: png, status: 200 },
  { path: '/predict', url: '/predict?top=2&timings=true', body: png, status: 200 },
  { path: '/predict', body: Buffer.from('no picture'), status: 415 },
];

for (const { path, url = path, body, status } of asked)
  t.test(`${body ? 'POST' : 'GET'} ${url} returns ${status} with a body of its schema`, async (t) => {
    const method = body ? 'POST' : 'GET';
    const response = await app.inject({ method, url, ...(body && { body }) });
    t.equal(response.statusCode, status);
    const [type = ''] = String(response.headers['content-type']).split(';');
    const validator = Compile(promised(path, method.toLowerCase(), status, type));
    const answer: object = response.json();
    t.same(validator.Errors(answer), [true, []]);
    t.notOk(validator.Check({ ...answer, unknown: 1 }), 'what is not promised would be seen');
  });
