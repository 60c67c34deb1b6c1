// A summary → a page with a table of all rows, the plot of accuracy and latency, and the commands that made them.
import type { Evaluation } from '../evaluation/report.js';
import type { Summary, SummaryRow } from '../evaluation/summary.js';
import { markdownTable, percent } from './table.js';

export function summaryPage({ dataset, rows }: Summary): string {
  const commands = [...new Set(rows.flatMap((row) => row.commands))];
  return [
    `# Models measured on ${dataset.name}`,
    `\`quati evaluate\` wrote this page from evaluation_summary.json, after measuring on the test images of ${dataset.name} ` +
      `(sha256 ${dataset.sha256.slice(0, 12)}…). Latency is for one image on one thread, without decoding. Throughput ` +
      '(images/s) is for batches of 32 on one thread. Memory is the peak of a process that serves only this variant. ' +
      'These figures depend on the machine.',
    markdownTable([headers, ...rows.map(cells)]),
    '![Accuracy against latency, size as the dot](accuracy_latency.png)',
    `${['```sh', ...commands, '```'].join('\n')}\n`,
  ].join('\n\n');
}

const headers = [
  'model',
  'variant',
  'parameters',
  'bytes',
  'accuracy',
  '95 %',
  'macro F1',
  'calibration error',
  're-inked',
  'p50 ms',
  'p95 ms',
  'images/s',
  'peak MB',
];

function cells({ model, variant, evaluation }: SummaryRow): string[] {
  const { parameters, bytes, accuracy, accuracyInterval, macro, calibrationError } = evaluation;
  return [
    model,
    variant,
    parameters?.toLocaleString('en') ?? '',
    bytes.toLocaleString('en'),
    percent(accuracy),
    `${(100 * accuracyInterval.low).toFixed(2)}…${(100 * accuracyInterval.high).toFixed(2)}`,
    macro.f1.toFixed(4),
    percent(calibrationError),
    ...speedCells(evaluation),
  ];
}

function speedCells({ reinked, latencyMs, imagesPerSecond, peakRssBytes }: Evaluation): string[] {
  return [
    reinked ? `${percent(reinked.accuracy)} of ${reinked.images.toLocaleString('en')}` : '',
    latencyMs.p50.toFixed(3),
    latencyMs.p95.toFixed(3),
    imagesPerSecond.toFixed(0),
    peakRssBytes === undefined ? '' : (peakRssBytes / 1e6).toFixed(0),
  ];
}
