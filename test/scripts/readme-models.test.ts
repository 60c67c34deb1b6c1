// Cards → the table of models in README.md that scripts/readme-models.ts writes, and checks.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import type { Card } from '../../src/inference/models/card.js';
import { writeFixtureModel } from '../helpers/fixture-model.js';
import { projectFolder } from '../helpers/project.js';
import { runScript } from '../helpers/run-script.js';

const empty = '# Title\n\n<!-- models: npm run readme -->\n<!-- /models -->\n\nThe rest.\n';

const run = (folder: string, ...args: string[]) => runScript('readme-models', args, folder);

const measured = (card: Card): Card => ({
  ...card,
  variants: {
    float32: {
      file: 'float32.onnx',
      bytes: 1_873_089,
      sha256: '0'.repeat(64),
      accuracy: 0.9923,
      latencyMs: 0.25,
      imagesPerSecond: 5120,
    },
    int8: { file: 'int8.onnx', bytes: 63_648, sha256: '0'.repeat(64), accuracy: 0.992, latencyMs: 0.1204 },
  },
});

t.test('the table in README.md has the figures of the committed models', async (t) => {
  const { status, stderr } = run(projectFolder, '--check');
  t.equal(status, 0, stderr);
});

t.test('the rows come from the cards, by name and version, and the other text stays', async (t) => {
  const folder = t.testdir({ 'README.md': empty });
  const models = path.join(folder, 'models');
  await writeFixtureModel(models, { name: 'b', version: 10, change: measured });
  await writeFixtureModel(models, { name: 'b', version: 9, change: measured, defaultVariant: 'int8' });
  await writeFixtureModel(models, { name: 'a' });
  await writeFile(path.join(models, 'notes.txt'), 'no model');
  t.match(run(folder), { status: 0, stdout: '', stderr: '' });
  const text = await readFile(path.join(folder, 'README.md'), 'utf8');
  const [before, table = '', after] = text.split(/<!-- models: npm run readme -->\n|<!-- \/models -->/);
  t.equal(before, '# Title\n\n');
  t.equal(after, '\n\nThe rest.\n');
  const [header, , ...rows] = table.trim().split('\n');
  t.equal(header, '| model | variant | size | of float32 | accuracy | latency | in batches |');
  t.match(rows[0], /^\| a 1 \| float32 \(served\) \| [\d.]+ KB \| 1\.000 \| {2}\| {2}\| {2}\|$/);
  t.strictSame(rows.slice(1), [
    '| b 9 | float32 | 1,873 KB | 1.000 | 99.23 % | 0.250 ms | 5120/s |',
    '| b 9 | int8 (served) | 63.6 KB | 0.034 | 99.20 % | 0.120 ms |  |',
    '| b 10 | float32 (served) | 1,873 KB | 1.000 | 99.23 % | 0.250 ms | 5120/s |',
    '| b 10 | int8 | 63.6 KB | 0.034 | 99.20 % | 0.120 ms |  |',
  ]);
});

t.test('a stale table fails the check, which names the command and writes nothing', async (t) => {
  const folder = t.testdir({ 'README.md': empty });
  const file = path.join(folder, 'README.md');
  await writeFixtureModel(path.join(folder, 'models'));
  t.match(run(folder, '--check'), { status: 1, stderr: /README\.md: .* stale: npm run readme\n$/ });
  t.equal(await readFile(file, 'utf8'), empty);
  run(folder);
  t.match(run(folder, '--check'), { status: 0 });
  const written = await readFile(file, 'utf8');
  run(folder);
  t.equal(await readFile(file, 'utf8'), written, 'twice gives the same');
});

t.test('npm run readme runs this script', async (t) => {
  const { scripts } = JSON.parse(await readFile(path.join(projectFolder, 'package.json'), 'utf8'));
  t.equal(scripts.readme, 'tsx scripts/readme-models.ts');
});

t.test('a README without the markers does not change', async (t) => {
  const folder = t.testdir({ 'README.md': '# Title\n', models: {} });
  t.match(run(folder), { status: 1, stderr: /the markers of the model table are missing/ });
  t.equal(await readFile(path.join(folder, 'README.md'), 'utf8'), '# Title\n');
});
