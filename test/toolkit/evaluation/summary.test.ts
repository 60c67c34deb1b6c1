// Rows of measured variants → CSV and JSON, merged with earlier rows; and the recommended variant.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { EvaluationError } from '../../../src/toolkit/evaluation/errors.js';
import { paretoFront, recommendVariant } from '../../../src/toolkit/evaluation/recommend.js';
import {
  mergeSummaries,
  readSummary,
  type Summary,
  summaryCsv,
  writeSummary,
} from '../../../src/toolkit/evaluation/summary.js';
import { summaryRow } from '../../helpers/figures.js';

const dataset = { name: 'tiny', sha256: 'a'.repeat(64) };
const names = (rows: Summary['rows']) => rows.map(({ model, variant }) => `${model} ${variant}`);

t.test(
  'the CSV has the documented columns, one line per variant, and empty cells for missing figures',
  async (t) => {
    const rows = [
      summaryRow('net float32', { parameters: 10, peakRssBytes: 1e8, accuracy: 2 / 3 }),
      summaryRow('"odd",name int8'),
    ];
    t.equal(
      summaryCsv(rows),
      'model,variant,parameters,bytes,accuracy,accuracy_low,accuracy_high,macro_precision,macro_recall,macro_f1,' +
        'mean_ms,p50_ms,p95_ms,images_per_second,peak_rss_bytes\n' +
        'net,float32,10,1000,0.666667,0.85,0.95,0.91,0.89,0.9,0.44,0.4,0.8,5000.5,100000000\n' +
        '"""odd"",name",int8,,1000,0.9,0.85,0.95,0.91,0.89,0.9,0.44,0.4,0.8,5000.5,\n',
    );
  },
);

t.test(
  'a summary is unchanged after writing and reading; another file is an error with its name',
  async (t) => {
    const folder = t.testdir();
    const summary = { dataset, rows: [summaryRow('net int8')] };
    const files = await writeSummary(folder, summary);
    t.strictSame(await readSummary(folder), summary);
    t.equal(await readFile(files[0] ?? '', 'utf8'), summaryCsv(summary.rows));
    await writeFile(path.join(folder, 'evaluation_summary.json'), '{"rows":[]}');
    await t.rejects(readSummary(folder), {
      constructor: EvaluationError,
      message: /evaluation_summary\.json: summary must have required properties dataset; quati evaluate/,
    });
  },
);

t.test('new rows replace rows of the same variant, others stay, and variants are in order', (t) => {
  const before = { dataset, rows: [summaryRow('b int8'), summaryRow('a int8', { bytes: 1 })] };
  const now = { dataset, rows: [summaryRow('a int8', { bytes: 2 }), summaryRow('a float32')] };
  const merged = mergeSummaries(before, now);
  t.strictSame(names(merged.rows), ['a float32', 'a int8', 'b int8']);
  t.equal(merged.rows[1]?.evaluation.bytes, 2);
  t.end();
});

t.test('rows of other images are removed', (t) => {
  const before = { dataset: { ...dataset, sha256: 'c'.repeat(64) }, rows: [summaryRow('b int8')] };
  t.strictSame(names(mergeSummaries(before, { dataset, rows: [summaryRow('a int8')] }).rows), ['a int8']);
  t.end();
});

const rows = [
  summaryRow('large float32', { accuracy: 0.99, bytes: 900_000, ms: 2 }),
  summaryRow('large int8', { accuracy: 0.985, bytes: 230_000, ms: 1 }),
  summaryRow('small float32', { accuracy: 0.95, bytes: 80_000, ms: 0.2 }),
  summaryRow('slow float32', { accuracy: 0.94, bytes: 300_000, ms: 3 }),
];

t.test('among the variants within the limits the most accurate is chosen, or the preferred one', (t) => {
  const limits = { maxBytes: 400_000, maxMs: 2, minAccuracy: 0.9 };
  t.strictSame(names([...recommendVariant(rows, limits).fitting]), ['large int8', 'small float32']);
  t.strictSame(names([...recommendVariant(rows, limits, 'latency').fitting]), [
    'small float32',
    'large int8',
  ]);
  t.strictSame(names([...recommendVariant(rows, {}, 'bytes').fitting])[0], 'small float32');
  t.end();
});

t.test('a value equal to its limit is within the limit', (t) => {
  const exact = { maxBytes: 230_000, maxMs: 1, minAccuracy: 0.985 };
  t.strictSame(names([...recommendVariant(rows, exact).fitting]), ['large int8']);
  t.end();
});

t.test('if no variant fits, the nearest is the one with the smallest worst miss', (t) => {
  const { fitting, nearest } = recommendVariant(rows, { maxBytes: 200_000, minAccuracy: 0.98 });
  t.strictSame(fitting, []);
  t.equal(nearest?.row, rows[1]);
  t.strictSame(nearest?.misses, [{ limit: 'maxBytes', got: 230_000, allowed: 200_000, times: 1.15 }]);
  const perfect = recommendVariant(rows, { minAccuracy: 1 });
  t.equal(perfect.nearest?.row, rows[0], 'nothing is perfect: the most accurate is nearest');
  const memory = recommendVariant(rows, { maxRssBytes: 1e9 });
  t.match(memory.nearest?.misses, [{ limit: 'maxRssBytes', times: Infinity }], 'not measured is not kept');
  t.end();
});

t.test('the Pareto front holds each variant that no faster variant beats in accuracy', (t) => {
  t.strictSame(names(paretoFront(rows)), ['small float32', 'large int8', 'large float32']);
  t.strictSame(paretoFront([]), []);
  t.end();
});
