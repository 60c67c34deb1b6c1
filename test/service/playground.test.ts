// GET / and its files: complete, revalidated, under a strict policy; and the messages of the page in both languages.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import t from 'tap';
import { catalogue } from '../../src/service/errors.js';
import { projectUrl } from '../helpers/project.js';
import { createFakeApp } from '../helpers/service.js';

const folder = new URL('src/service/pages/', projectUrl);

interface Messages {
  en: Record<string, string>;
  'pt-BR': Record<string, string>;
}

const { messages } = (await import(new URL('messages.js', folder).href)) as { messages: Messages };

const never = () => Promise.reject(new Error('nothing is asked'));

t.test('the page and every file that it refers to exist, each with its media type', async (t) => {
  const app = await createFakeApp(t, never);
  const page = await app.inject('/');
  t.match(page.headers['content-type'], 'text/html');
  const named = [...page.body.matchAll(/(?:href|src)="(public\/[^"]+)"/g)].map(([, name = '']) => name);
  const modules = readdirSync(folder).filter((name) => name !== 'index.html');
  for (const name of new Set([...named, ...modules.map((name) => `public/${name}`)])) {
    const { statusCode, headers } = await app.inject(`/${name}`);
    t.equal(statusCode, 200, name);
    t.match(headers['content-type'], /^(text\/(css|javascript); charset=utf-8|image\/svg\+xml)$/, name);
  }
  t.ok(named.length >= 3);
});

t.test('the page has no inline code, loads nothing from other servers, and cannot be framed', async (t) => {
  const app = await createFakeApp(t, never);
  for (const path of ['/', '/docs', '/docs/static/swagger-initializer.js']) {
    const policy = String((await app.inject(path)).headers['content-security-policy']);
    t.match(policy, "default-src 'none'", path);
    t.match(policy, "script-src 'self';", path);
    t.match(policy, /style-src 'self'( 'sha256-[\w+/=]+')?;/, path);
    t.match(policy, "frame-ancestors 'none'", path);
    t.notMatch(policy, /unsafe|https?:|\*/, path);
  }
  const { body } = await app.inject('/');
  t.notMatch(body, /<style|<script>|\sstyle=|\son\w+=|https?:/);
});

t.test('a file that the browser already has is not sent again', async (t) => {
  const app = await createFakeApp(t, never);
  const { headers } = await app.inject('/');
  t.equal(headers['cache-control'], 'no-cache');
  for (const known of [headers.etag, `"other", W/${headers.etag}`, '*']) {
    const again = await app.inject({ url: '/', headers: { 'if-none-match': String(known) } });
    t.equal(again.statusCode, 304, String(known));
    t.equal(again.body, '');
    t.equal(again.headers.etag, headers.etag);
  }
  const other = await app.inject({ url: '/', headers: { 'if-none-match': '"other"' } });
  t.equal(other.statusCode, 200);
});

t.test('folders are not listed, and no file outside the page is served', async (t) => {
  const app = await createFakeApp(t, never);
  for (const path of [
    '/public',
    '/public/',
    '/public/../app.js',
    '/public/%2e%2e/app.js',
    '/public/index.htm',
  ]) {
    const response = await app.inject(path);
    t.equal(response.statusCode, 404, path);
    t.equal(response.json().code, 'not_found', path);
  }
  t.equal((await app.inject({ method: 'POST', url: '/' })).statusCode, 405);
});

t.test('both languages have every message and every problem, with the same placeholders', async (t) => {
  const { en, 'pt-BR': pt } = messages;
  t.same(Object.keys(pt), Object.keys(en));
  const values = (sentence = '') => [...sentence.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const [key, sentence] of Object.entries(en)) t.same(values(pt[key]), values(sentence), key);
  for (const code of Object.keys(catalogue)) t.match(en[`problem.${code}`], /\.$|\?$/, code);
});

t.test('the text in index.html equals the English messages', async (t) => {
  const app = await createFakeApp(t, never);
  const { body } = await app.inject('/');
  const texts = [...body.matchAll(/data-text="(\w+)"[^>]*>([^<]*)</g)];
  const labels = [...body.matchAll(/data-label="(\w+)" aria-label="([^"]*)"/g)];
  for (const [, key = '', text] of [...texts, ...labels]) t.equal(text, messages.en[key], key);
  t.equal(texts.length, body.match(/data-text=/g)?.length);
  t.equal(labels.length, body.match(/data-label=/g)?.length);
});

t.test('the curl command quotes every file name correctly', async (t) => {
  const names = ['it\'s; a, "b"\\c $HOME `x`.png', 'número 1.png', '7-1.png', '-rf.png'];
  const script = `
    globalThis.document = { baseURI: 'http://localhost:8000/' };
    const { curlLine } = await import('${new URL('curl.js', folder).href}');
    console.log(JSON.stringify(${JSON.stringify(names)}.map((name) => curlLine(name, { model: 'm', variant: 'int8' }))));`;
  const lines = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  );
  names.forEach((name, i) => {
    const shell = `curl() { printf '%s\\n' "$@"; }; ${lines[i]}`;
    const [flag, field = '', url] = execFileSync('sh', ['-c', shell], { encoding: 'utf8' }).split('\n');
    t.equal(flag, '-F');
    t.equal(url, 'http://localhost:8000/predict?model=m&variant=int8&top=5');
    // The value that curl reads from double quotes.
    const value = field.replace(/^file=@/, '');
    const file = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
    t.equal(file, name);
  });
});
