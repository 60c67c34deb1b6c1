// what npm is told of this project → nothing is downloaded but packages, and none of them runs a script.
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { projectUrl } from '../helpers/project.js';

const read = async (name: string) => await readFile(new URL(name, projectUrl), 'utf8');

t.test(
  'the script that downloads CUDA files is denied to every npm: 10 reads .npmrc, 11 and later package.json',
  async (t) => {
    t.match(await read('.npmrc'), /^onnxruntime-node-install=skip$/m);
    t.equal(JSON.parse(await read('package.json')).allowScripts['onnxruntime-node'], false);
  },
);

t.test('every package with an install script is denied it, and the lock file names no host', async (t) => {
  const lock = await read('package-lock.json');
  const { allowScripts } = JSON.parse(await read('package.json'));
  const packages: Record<string, { hasInstallScript?: boolean; optional?: boolean }> =
    JSON.parse(lock).packages;
  const scripted = Object.entries(packages).flatMap(([path, { hasInstallScript, optional }]) =>
    path !== '' && hasInstallScript && !optional ? [path.replace(/^.*node_modules\//, '')] : [],
  );
  t.same(
    scripted.filter((name) => allowScripts[name] !== false),
    [],
  );
  t.ok(scripted.includes('onnxruntime-node'), 'the lock file tells of scripts');
  t.notMatch(lock, /"resolved": "http/);
});
