// The figures of all variants on a dataset ⇄ evaluation_summary.json; and → evaluation_summary.csv.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Static, Type } from '#typebox';
import { Compile } from '#typebox/compile';
import { writeFileAtomic, writeJsonAtomic } from '../files.js';
import { EvaluationError } from './errors.js';
import { Evaluation } from './report.js';
import { variantNames } from './targets.js';

const SummaryRow = Type.Object({
  model: Type.String(),
  variant: Type.String(),
  file: Type.String({ description: 'The measured file, relative to where quati evaluate ran.' }),
  commands: Type.Array(Type.String(), { description: 'The commands that made and measured it, as typed.' }),
  evaluation: Evaluation,
});
export type SummaryRow = Static<typeof SummaryRow>;

const Summary = Type.Object({
  dataset: Type.Object({ name: Type.String(), sha256: Type.String() }),
  rows: Type.Array(SummaryRow),
});
export type Summary = Static<typeof Summary>;

const validator = Compile(Summary);
export const summaryName = 'evaluation_summary';

/** Reads evaluation_summary.json. @throws EvaluationError if it is missing or is not a summary. */
export async function readSummary(folder: string): Promise<Summary> {
  const file = path.join(folder, `${summaryName}.json`);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new EvaluationError(`${file}: cannot be read: ${(cause as Error).message}`, { cause });
  }
  if (validator.Check(json)) return json;
  const [first] = validator.Errors(json);
  throw new EvaluationError(
    `${file}: ${first?.instancePath || 'summary'} ${first?.message}; quati evaluate writes a new one`,
  );
}

/** Merges summaries. New rows replace those of the same model and variant. Other rows stay if the images are the same. */
export function mergeSummaries(before: Summary | undefined, now: Summary): Summary {
  const key = ({ model, variant }: SummaryRow) => `${model}/${variant}`;
  const measured = new Set(now.rows.map(key));
  const kept = before?.dataset.sha256 === now.dataset.sha256 ? before.rows : [];
  const rows = [...kept.filter((row) => !measured.has(key(row))), ...now.rows];
  return { dataset: now.dataset, rows: rows.sort(byModelAndVariant) };
}

function byModelAndVariant(a: SummaryRow, b: SummaryRow): number {
  const order: readonly string[] = variantNames;
  const place = ({ variant }: SummaryRow) =>
    order.includes(variant) ? order.indexOf(variant) : order.length;
  return a.model.localeCompare(b.model) || place(a) - place(b) || a.variant.localeCompare(b.variant);
}

export async function writeSummary(folder: string, summary: Summary): Promise<string[]> {
  const files = ['csv', 'json'].map((ending) => path.join(folder, `${summaryName}.${ending}`));
  const [csv = '', json = ''] = files;
  await writeFileAtomic(csv, summaryCsv(summary.rows));
  await writeJsonAtomic(json, summary);
  return files;
}

type Cell = string | number | undefined;

const columns: Record<string, (row: SummaryRow) => Cell> = {
  model: ({ model }) => model,
  variant: ({ variant }) => variant,
  parameters: ({ evaluation }) => evaluation.parameters,
  bytes: ({ evaluation }) => evaluation.bytes,
  accuracy: ({ evaluation }) => round(evaluation.accuracy, 6),
  accuracy_low: ({ evaluation }) => round(evaluation.accuracyInterval.low, 6),
  accuracy_high: ({ evaluation }) => round(evaluation.accuracyInterval.high, 6),
  macro_precision: ({ evaluation }) => round(evaluation.macro.precision, 6),
  macro_recall: ({ evaluation }) => round(evaluation.macro.recall, 6),
  macro_f1: ({ evaluation }) => round(evaluation.macro.f1, 6),
  mean_ms: ({ evaluation }) => round(evaluation.latencyMs.mean, 4),
  p50_ms: ({ evaluation }) => round(evaluation.latencyMs.p50, 4),
  p95_ms: ({ evaluation }) => round(evaluation.latencyMs.p95, 4),
  images_per_second: ({ evaluation }) => round(evaluation.imagesPerSecond, 1),
  peak_rss_bytes: ({ evaluation }) => evaluation.peakRssBytes,
};

/** Formats rows as CSV, one line per variant. Figures that were not measured are empty. */
export function summaryCsv(rows: readonly SummaryRow[]): string {
  const lines = rows.map((row) => Object.values(columns).map((cellOf) => csvCell(cellOf(row))));
  return [Object.keys(columns), ...lines].map((cells) => `${cells.join(',')}\n`).join('');
}

/** Quotes a value if RFC 4180 requires it. */
function csvCell(value: Cell): string {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
