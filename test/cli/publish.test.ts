// quati publish: its output, its record, and the exit codes of its refusals.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { runCli } from '../../src/cli/program.js';
import { writeMeasuredRun, writeTrainedRun } from '../helpers/fixture-run.js';
import { fakeIo } from './fake-io.js';

async function publish(root: string, ...argv: string[]) {
  const io = fakeIo();
  const folders = ['--models', path.join(root, 'models'), '--imgs', path.join(root, 'imgs')];
  const code = await runCli(['publish', path.join(root, 'run'), ...folders, ...argv], io);
  return { code, out: io.out(), err: io.err() };
}

t.test('a measured run is published, and its folder is shown', async (t) => {
  const root = t.testdir();
  await writeMeasuredRun(root);
  const { code, out, err } = await publish(root, '--as', 'rows');
  const samples = await readdir(path.join(root, 'imgs', 'rows'));
  t.equal(code, 0);
  t.equal(err, '');
  t.equal(
    out,
    `${path.join(root, 'models', 'rows', '1')}: float32, int8 (int8 serves); ` +
      `${samples.length} samples in ${path.join(root, 'imgs', 'rows')}\n`,
  );
});

t.test('--json prints folder, samples and card', async (t) => {
  const root = t.testdir();
  await writeMeasuredRun(root);
  const { out } = await publish(root, '--as', 'rows', '--model-version', '3', '--json');
  const folder = path.join(root, 'models', 'rows', '3');
  const printed = JSON.parse(out);
  t.equal(printed.folder, folder);
  t.strictSame(printed.card, JSON.parse(await readFile(path.join(folder, 'card.json'), 'utf8')));
  t.equal(printed.samples.length, (await readdir(path.join(root, 'imgs', 'rows'))).length);
});

t.test('a version that exists gives exit code 1; --replace overwrites it', async (t) => {
  const root = t.testdir();
  await writeMeasuredRun(root);
  await publish(root, '--as', 'rows');
  t.match(await publish(root, '--as', 'rows', '--model-version', '1'), {
    code: 1,
    out: '',
    err: /^error: .*models\/rows\/1 already exists: --replace overwrites it/,
  });
  t.match(await publish(root, '--as', 'rows', '--model-version', '1', '--replace'), { code: 0 });
  t.match(await publish(root, '--as', 'rows'), { code: 0, out: /rows\/2: / });
});

t.test('a run that was not measured gives exit code 1, names the command, and writes nothing', async (t) => {
  const root = t.testdir();
  const { run } = await writeTrainedRun(root);
  const record = await readFile(path.join(run, 'run.json'), 'utf8');
  t.match(await publish(root, '--as', 'rows'), {
    code: 1,
    out: '',
    err: /^error: .*evaluation\.json: the variants are not measured yet: run quati evaluate .*run\n$/,
  });
  t.strictSame((await readdir(root)).sort(), ['data', 'run']);
  t.equal(await readFile(path.join(run, 'run.json'), 'utf8'), record, 'the record says no publish');
});
