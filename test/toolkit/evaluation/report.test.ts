// evaluation.json: written and read again, missing, and damaged.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { EvaluationError } from '../../../src/toolkit/evaluation/errors.js';
import { type Report, readReport, writeReport } from '../../../src/toolkit/evaluation/report.js';
import { figures } from '../../helpers/figures.js';

const report: Report = {
  dataset: { name: 'tiny', sha256: 'a'.repeat(64) },
  date: '2026-01-01T00:00:00.000Z',
  variants: {
    int8: figures({ accuracy: 0.75, peakRssBytes: 1e8 }),
  },
};

t.test('a report is unchanged after writing and reading', async (t) => {
  const folder = t.testdir();
  await writeReport(folder, report);
  t.strictSame(await readReport(folder), report);
});

t.test('a missing report is an error that names the command', async (t) => {
  const folder = t.testdir();
  await t.rejects(readReport(folder), {
    constructor: EvaluationError,
    message: `${path.join(folder, 'evaluation.json')}: the variants are not measured yet: run quati evaluate ${folder}`,
  });
});

for (const [title, content, problem] of [
  ['no JSON', '{"variants":', 'is not JSON'],
  ['no report', '[]', 'report must be object'],
  [
    'a report with a figure that is none',
    JSON.stringify({ ...report, variants: { int8: { ...report.variants.int8, accuracy: 'good' } } }),
    '/variants/int8/accuracy must be number',
  ],
] as const)
  t.test(`a file that is ${title} is an error that names the command`, async (t) => {
    const folder = t.testdir();
    const file = path.join(folder, 'evaluation.json');
    await writeFile(file, content);
    await t.rejects(readReport(folder), {
      constructor: EvaluationError,
      message: `${file}: ${problem}; quati evaluate ${folder} writes a new one`,
    });
  });
