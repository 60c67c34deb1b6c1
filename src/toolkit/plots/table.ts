// A run's figures → the text of results.md. The same run always gives the same text.
import type { Evaluation, Report } from '../evaluation/report.js';
import type { EpochRecord } from '../training/run/history.js';
import type { RunRecord } from '../training/run/run-folder.js';

export interface Results {
  readonly run: string;
  readonly record: RunRecord;
  readonly report: Report;
  readonly history: readonly EpochRecord[];
}

export function resultsTable({ run, record, report, history }: Results): string {
  const { recipe, parameters, dataset } = record;
  const best = history.flatMap(({ valAccuracy }) => (valAccuracy === undefined ? [] : [valAccuracy]));
  const facts = [
    ['recipe', recipe.name],
    ['dataset', `${dataset.name} (sha256 ${dataset.sha256.slice(0, 12)}…)`],
    ['parameters', parameters.toLocaleString('en')],
    ['epochs', `${history.length} of ${recipe.epochs}`],
    ['seed', String(recipe.seed)],
    ...(best.length > 0 ? [['best validation accuracy', percent(Math.max(...best))]] : []),
    ['made by', record.tool],
  ];
  const variants = Object.entries(report.variants).map(([name, evaluation]) => variantRow(name, evaluation));
  return [
    `# ${recipe.title}: ${recipe.name}`,
    `\`quati report ${run}\` wrote this page. Latency is for one image on one thread, without decoding. It depends on the machine.`,
    markdownTable([['', ''], ...facts]),
    markdownTable([
      ['variant', 'test accuracy', 're-inked', 'bytes', 'p50 ms', 'p95 ms', 'images/s at batch 32'],
      ...variants,
    ]),
    '![Loss and accuracy by epoch](history.png)',
    '![Predictions for test images](predictions.png)',
    `${['```sh', ...record.commands, '```'].join('\n')}\n`,
  ].join('\n\n');
}

function variantRow(name: string, evaluation: Evaluation): string[] {
  const { accuracy, reinked, bytes, latencyMs, imagesPerSecond } = evaluation;
  return [
    name,
    percent(accuracy),
    reinked ? `${percent(reinked.accuracy)} of ${reinked.images.toLocaleString('en')}` : '',
    bytes.toLocaleString('en'),
    latencyMs.p50.toFixed(3),
    latencyMs.p95.toFixed(3),
    imagesPerSecond.toFixed(0),
  ];
}

export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [header = [], ...rest] = rows.map((row) => `| ${row.join(' | ')} |`);
  const rule = `|${' --- |'.repeat(rows[0]?.length ?? 0)}`;
  return [header, rule, ...rest].join('\n');
}

export function percent(part: number): string {
  return `${(100 * part).toFixed(2)} %`;
}
