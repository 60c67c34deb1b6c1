// Figures that a page repeats, against the records that they come from.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { projectFolder } from '../helpers/project.js';
import { readPage } from './pages.js';

function readJson(file: string) {
  return JSON.parse(readFileSync(path.join(projectFolder, file), 'utf8'));
}

interface Row {
  model: string;
  variant: string;
  evaluation: { sha256: string; bytes: number; accuracy: number };
}

t.test('the table in docs/quantisation.md has the recorded and the measured figures', async (t) => {
  const { onnxruntime, float32, eightBits, sevenBits, testImages } = readJson(
    'test/fixtures/onnxruntime/quantiser.json',
  );
  const { rows } = readJson('docs/results/mnist/evaluation_summary.json') as { rows: Row[] };
  const evaluated = (variant: string) => {
    const row = rows.find((each) => each.model === 'mnist-cnn' && each.variant === variant);
    t.ok(row, `mnist-cnn ${variant} was evaluated`);
    const { bytes = 0, accuracy = 0, sha256 = '' } = row?.evaluation ?? {};
    return { bytes, correct: Math.round(accuracy * testImages), sha256 };
  };
  t.equal(evaluated('float32').sha256, float32.sha256, 'both started from the same model');
  const line = (by: string, bits: string, { bytes, correct }: { bytes: number; correct: number }) =>
    `| ${by} | ${bits} | ${bytes.toLocaleString('en')} | ${correct.toLocaleString('en')} |`.replace(
      '|  |',
      '| |',
    );
  const expected = [
    line('float32', '', float32),
    line(`onnxruntime ${onnxruntime}`, '8 bits', eightBits),
    line(`onnxruntime ${onnxruntime}`, '7 bits', sevenBits),
    line('Quati', '7 bits', evaluated('int8')),
  ];
  t.match(readPage('docs/quantisation.md'), expected.join('\n'));
});
