import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { runCli } from '../../src/cli/program.js';
import { projectFolder, projectUrl } from '../helpers/project.js';
import { fakeIo } from './fake-io.js';

async function run(...argv: string[]) {
  const io = fakeIo();
  const code = await runCli(argv, io);
  return { code, out: io.out(), err: io.err() };
}

t.test('--help lists every command in the order of use', async (t) => {
  const { code, out } = await run('--help');
  t.equal(code, 0);
  t.match(out, / dataset .* serve .* predict /s);
});

t.test('--version prints the version of package.json', async (t) => {
  const { version } = JSON.parse(await readFile(new URL('package.json', projectUrl), 'utf8')) as {
    version: string;
  };
  t.match(await run('--version'), { code: 0, out: `${version}\n` });
});

const wrong: [title: string, argv: string[], message: RegExp][] = [
  ['no command', [], /Usage: quati/],
  ['an unknown command', ['fly'], /unknown command 'fly'/],
  ['an unknown option', ['predict', 'x.png', '--fast'], /unknown option '--fast'/],
  ['a missing argument', ['predict'], /missing required argument 'paths'/],
  [
    'an unknown dataset',
    ['dataset', 'prepare', 'imagenet'],
    /imagenet: expected mnist, cifar10, dogs-vs-cats or a folder that exists/,
  ],
  ['an invalid number', ['predict', 'x.png', '--top', '0'], /expected a positive integer/],
  ['an invalid URL', ['predict', 'x.png', '--url', 'localhost:8000'], /expected an http\(s\) URL/],
  [
    'a path that does not exist',
    ['predict', 'no-such-folder/'],
    /error: no-such-folder\/: no such file or folder/,
  ],
];
for (const [title, argv, message] of wrong)
  t.test(`${title} gives exit code 2 and a message only on stderr`, async (t) => {
    t.match(await run(...argv), { code: 2, out: '', err: message });
  });

for (const command of ['dataset prepare', 'serve', 'predict'])
  t.test(`quati ${command} --help shows examples`, async (t) => {
    const { code, out } = await run(...command.split(' '), '--help');
    t.equal(code, 0);
    t.match(out, new RegExp(`Examples?:\\n  \\$ .*quati ${command.split(' ')[0]}`));
  });

t.test('quati help predict prints the same as quati predict --help', async (t) => {
  t.strictSame(await run('help', 'predict'), await run('predict', '--help'));
});

t.test('the process exits with the code and prints to its streams', async (t) => {
  const child = spawn(process.execPath, ['build/src/cli/main.js', 'predict', 'no-such.png'], {
    cwd: projectFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  t.equal(code, 2);
  t.equal(out, '');
  t.match(err, /error: no-such\.png: no such file or folder\n$/);
});
