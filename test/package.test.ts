// `npm pack` → the tarball, laid out as npm installs it with its production dependencies alone → served from, and imported typed.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import t from 'tap';
import { projectFolder } from './helpers/project.js';

const run = promisify(execFile);

interface Packed {
  filename: string;
  files: { path: string }[];
}

interface Lock {
  packages: Record<string, { dev?: boolean; devOptional?: boolean; optional?: boolean }>;
}

const root = await mkdtemp(path.join(tmpdir(), 'quati-package-'));
t.teardown(() => rm(root, { recursive: true, force: true }));
const packed = await pack();
await install(packed.filename);

async function pack(): Promise<Packed> {
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', root], {
    cwd: projectFolder,
    maxBuffer: 2 ** 26,
  });
  const [found] = JSON.parse(stdout) as Packed[];
  if (!found) throw new Error('npm pack made nothing');
  return found;
}

/** No registry is asked: each package that the lock file has for production is a link to the project's. */
async function install(filename: string): Promise<void> {
  const modules = path.join(root, 'node_modules');
  await mkdir(path.join(modules, '.bin'), { recursive: true });
  await mkdir(path.join(modules, 'quati'));
  await run('tar', [
    '-xzf',
    path.join(root, filename),
    '--strip-components=1',
    '-C',
    path.join(modules, 'quati'),
  ]);
  await chmod(path.join(modules, 'quati/dist/cli/main.js'), 0o755);
  await symlink('../quati/dist/cli/main.js', path.join(modules, '.bin', 'quati'));
  const { packages } = JSON.parse(
    await readFile(path.join(projectFolder, 'package-lock.json'), 'utf8'),
  ) as Lock;
  for (const [place, { dev, devOptional, optional }] of Object.entries(packages)) {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(place) ?? [];
    if (name === undefined || dev || devOptional || optional) continue;
    const target = path.join(modules, name);
    await mkdir(path.dirname(target), { recursive: true });
    await symlink(path.join(projectFolder, place), target);
  }
}

t.test('the tarball has what serves, its types and its models, and nothing of the workshop', async (t) => {
  const files = packed.files.map((file) => file.path);
  for (const file of [
    'dist/cli/main.js',
    'dist/client/client.d.ts',
    'dist/service/pages/index.html',
    'models/mnist/1/card.json',
    'card.schema.json',
    'README.md',
    'LICENSE',
    'LICENSES/Apache-2.0.txt',
  ])
    t.ok(files.includes(file), file);
  t.same(
    files.filter((file) =>
      /^(src|test|scripts|bench|docker(?!\/systemd)|imgs)\/|\.map$|tsbuildinfo/.test(file),
    ),
    [],
  );
});

t.test(
  'npx quati serve serves the models that come with the package, where there are no others',
  async (t) => {
    const child = spawn(path.join(root, 'node_modules/.bin/quati'), ['serve'], {
      cwd: root,
      env: {
        ...process.env,
        QUATI_HOST: '127.0.0.1',
        QUATI_PORT: '0',
        QUATI_WORKERS: '1',
        QUATI_LOG_LEVEL: 'silent',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const url = await listeningUrl(child);
    const consumer = `
    import { createClient } from 'quati/client';
    import { readFile } from 'node:fs/promises';
    const client = createClient({ baseUrl: process.argv[2] });
    const { category } = await client.predict(await readFile(process.argv[3]), { model: 'mnist' });
    console.log(category);
  `;
    await writeFile(path.join(root, 'consumer.mjs'), consumer);
    const image = path.join(projectFolder, 'imgs/mnist/7-1.png');
    const { stdout } = await run(process.execPath, ['consumer.mjs', url, image], { cwd: root });
    t.equal(stdout, '7\n');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    t.equal(await ended, 0);
  },
);

async function listeningUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface(child.stdout)) {
    const [, url] = /^Quati listens on (\S+)/.exec(line) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error('it ended before it listened');
}

t.test('quati/client is typed: right use compiles, wrong use does not', async (t) => {
  const consumer = `
    import { createClient, type Prediction, ProblemError } from 'quati/client';
    const client = createClient({ baseUrl: 'http://localhost:8000', timeoutMs: 1000 });
    export const answer: Prediction = await client.predict(new Uint8Array(), { model: 'mnist', top: 3 });
    export const code = (error: ProblemError): string => error.code;
    // @ts-expect-error: a URL is needed
    createClient({});
    // @ts-expect-error: a category is text
    export const wrong: number = answer.category;
  `;
  await writeFile(path.join(root, 'consumer.mts'), consumer);
  await writeFile(path.join(root, 'package.json'), '{"type":"module"}');
  const tsc = path.join(projectFolder, 'node_modules/typescript/bin/tsc');
  const types = ['--types', 'node', '--typeRoots', path.join(projectFolder, 'node_modules/@types')];
  const options = [
    '--noEmit',
    '--strict',
    '--target',
    'es2023',
    // Without the browser's types, whose check takes longer than that of all others.
    '--lib',
    'es2023',
    '--module',
    'nodenext',
    '--skipLibCheck',
    ...types,
  ];
  const { stdout } = await run(process.execPath, [tsc, ...options, 'consumer.mts'], { cwd: root }).catch(
    (error: { stdout: string }) => error,
  );
  t.equal(stdout, '');
});

t.test('a command that trains names the package that it lacks', async (t) => {
  const command = [path.join(root, 'node_modules/.bin/quati'), 'train', 'mnist-cnn', '--data', root];
  const failed = await run(process.execPath, command, { cwd: root }).catch(
    (error: { code: number; stderr: string }) => error,
  );
  t.match(failed, {
    code: 1,
    stderr: /^error: quati train needs the package @bufbuild\/protobuf, .*npm install @bufbuild\/protobuf@/,
  });
});
