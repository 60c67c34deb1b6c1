// the files of this project that npm reads → npm downloads only packages, and runs no script of them.
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { projectUrl } from '../helpers/project.js';

interface Lock {
  packages: Record<string, { hasInstallScript?: boolean }>;
}

const read = async (name: string) => await readFile(new URL(name, projectUrl), 'utf8');

t.test('the lock file marks no package as having an install script, so npm 10 runs none', async (t) => {
  const { packages } = JSON.parse(await read('package-lock.json')) as Lock;
  t.same(
    Object.keys(packages).filter((place) => packages[place]?.hasInstallScript),
    [],
    `after npm install: sed -i '/"hasInstallScript": true,/d' package-lock.json`,
  );
  t.ok(packages['node_modules/onnxruntime-node'], 'packages were found');
});

t.test('package.json denies every install script of an installed package to npm 11 and later', async (t) => {
  const { allowScripts } = JSON.parse(await read('package.json')) as {
    allowScripts: Record<string, boolean>;
  };
  const { packages } = JSON.parse(await read('package-lock.json')) as Lock;
  const scripted: string[] = [];
  for (const place of Object.keys(packages).filter((each) => each.startsWith('node_modules/'))) {
    const { name, scripts } = await readPackage(place);
    if (scripts.preinstall ?? scripts.install ?? scripts.postinstall) scripted.push(name);
  }
  t.same(
    scripted.filter((name) => allowScripts[name] !== false),
    [],
  );
  t.ok(scripted.includes('onnxruntime-node'), 'scripts were found');
});

t.test('the lock file contains no host, and .npmrc has only settings that every npm knows', async (t) => {
  t.notMatch(await read('package-lock.json'), /"resolved": "http/);
  t.same((await read('.npmrc')).trim().split('\n'), [
    'omit-lockfile-registry-resolved=true',
    'engine-strict=true',
    'fund=false',
    'audit=false',
  ]);
});

/** Packages for other platforms are not installed, so they have no package.json here. */
async function readPackage(place: string): Promise<{ name: string; scripts: Record<string, string> }> {
  const text = await read(`${place}/package.json`).catch(() => '{}');
  const { name = '', scripts = {} } = JSON.parse(text) as { name?: string; scripts?: Record<string, string> };
  return { name, scripts };
}
