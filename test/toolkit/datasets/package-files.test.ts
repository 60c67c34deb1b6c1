import { chmod, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import { npmCommand, npmFailure, packWithNpm } from '../../../src/toolkit/datasets/package-files.js';

const source = { package: 'tiny', version: '1.0.0', integrity: 'sha512-x' };

t.test('the npm that started the process is used, through this Node', async (t) => {
  const bin = path.join('opt', 'npm', 'bin');
  const expected = [process.execPath, path.join(bin, 'npm-cli.js')];
  t.strictSame(npmCommand({ npm_execpath: path.join(bin, 'npm-cli.js') }), expected);
  t.strictSame(npmCommand({ npm_execpath: path.join(bin, 'npx-cli.js') }), expected);
});

t.test(
  'another package manager, or none, leaves the npm on PATH',
  { skip: process.platform === 'win32' },
  async (t) => {
    t.strictSame(npmCommand({ npm_execpath: '/opt/yarn/bin/yarn.js' }), ['npm']);
    t.strictSame(npmCommand({}), ['npm']);
  },
);

const failures: [title: string, stdout: string, stderr: string, message: RegExp][] = [
  [
    'no network',
    '{"error":{"code":"ENOTFOUND","summary":"request to the registry failed","detail":""}}',
    '',
    /^tiny@1\.0\.0: the npm registry cannot be reached\. Check the network.*ENOTFOUND: request to the registry failed/,
  ],
  [
    'no such package',
    '{"error":{"code":"E404","summary":"Not Found"}}',
    '',
    /does not have this package.*mirror/,
  ],
  [
    'no such version',
    '',
    'npm error code ETARGET\nnpm error notarget No match',
    /does not have this package.*notarget/,
  ],
  ['a damaged download', '', 'npm ERR! code EINTEGRITY\nnpm ERR! bad', /is damaged. Run `npm cache verify`/],
  ['an unknown failure', 'no json', 'segfault', /^tiny@1\.0\.0: npm pack failed \(exit code 7\): segfault$/],
  ['a silent failure', '', '', /npm pack failed \(exit code 7\): no message$/],
];
for (const [title, stdout, stderr, message] of failures)
  t.test(`${title}: the output of npm becomes one sentence with a remedy`, async (t) => {
    const error = npmFailure('tiny@1.0.0', 7, stdout, stderr);
    t.match(error, { name: 'DownloadError', message });
    t.notMatch(error.message, /\n/);
  });

t.test('npm on PATH', { skip: process.platform === 'win32' }, async (t) => {
  const { npm_execpath: started, PATH } = process.env;
  delete process.env.npm_execpath;
  t.teardown(() => {
    if (started !== undefined) process.env.npm_execpath = started;
    process.env.PATH = PATH;
  });

  t.test('runs npm pack for the pinned version without its scripts', async (t) => {
    const root = await fakeNpm(t, 'echo "$1 $2 $4" > "$7/asked"; touch "$7/tiny-1.0.0.tgz"');
    const into = path.join(root, 'into');
    await packWithNpm(source, into);
    t.strictSame((await readdir(into)).sort(), ['asked', 'tiny-1.0.0.tgz']);
    t.equal(await readFile(path.join(into, 'asked'), 'utf8'), 'pack tiny@1.0.0 --ignore-scripts\n');
  });

  t.test('failing is a DownloadError with its reason', async (t) => {
    await fakeNpm(t, 'echo "npm error code ECONNREFUSED" >&2; exit 1');
    await t.rejects(packWithNpm(source, '.'), { name: 'DownloadError', message: /cannot be reached/ });
  });

  t.test('is stopped when the signal aborts', async (t) => {
    await fakeNpm(t, 'exec sleep 60');
    await t.rejects(packWithNpm(source, '.', AbortSignal.timeout(100)), { name: 'TimeoutError' });
  });

  t.test('missing is a DownloadError that recommends to install it', async (t) => {
    process.env.PATH = t.testdir({});
    await t.rejects(packWithNpm(source, '.'), {
      name: 'DownloadError',
      message: /npm could not be started.*install npm/,
    });
  });

  async function fakeNpm(t: Test, script: string): Promise<string> {
    const root = t.testdir({ bin: { npm: `#!/bin/sh\n${script}\n` }, into: {} });
    await chmod(path.join(root, 'bin/npm'), 0o755);
    process.env.PATH = `${path.join(root, 'bin')}${path.delimiter}${PATH}`;
    return root;
  }
});
