// The records of a load → figures, and the lines that show them.
import { quantileSorted } from 'simple-statistics';
import type { Load, LoadPlan, LoadRecord } from '../client/load.js';
import { rounded } from './predict-report.js';

export interface BenchReport {
  url: string;
  loop: 'open' | 'closed';
  connections: number;
  /** The requests per second that were due, in an open loop. */
  rate: number | null;
  images: number;
  seconds: number;
  requests: number;
  answered: number;
  failed: number;
  answersPerSecond: number;
  /** The latencies of the requests that succeeded, measured from when each was due. */
  latencyMs: { mean: number; p50: number; p95: number; p99: number; max: number } | null;
  /** The number of failed requests by code: a problem's code, http_<status>, the system's code, or timeout. */
  errors: Record<string, number>;
  /** Over the images whose name gives the category; each image counts once. */
  accuracy: { correct: number; known: number; top1: number } | null;
  /** Images that got different categories at different times. */
  changing: number;
}

interface Asked {
  url: string;
  /** The category that each image's name gives. */
  expected: readonly (string | undefined)[];
}

export function summariseLoad(
  { records, seconds }: Load,
  plan: LoadPlan,
  { url, expected }: Asked,
): BenchReport {
  const answered = records.filter(({ outcome }) => 'category' in outcome);
  const categories = categoriesOf(answered, expected.length);
  const known = categories.flatMap((given, i) => (given.size > 0 && expected[i] !== undefined ? [i] : []));
  const correct = known.filter((i) =>
    [...(categories[i] ?? [])].every((category) => category === expected[i]),
  );
  return {
    url,
    loop: plan.rate === undefined ? 'closed' : 'open',
    connections: plan.connections,
    rate: plan.rate ?? null,
    images: expected.length,
    seconds: rounded(seconds, 3),
    requests: records.length,
    answered: answered.length,
    failed: records.length - answered.length,
    answersPerSecond: seconds > 0 ? rounded(answered.length / seconds, 1) : 0,
    latencyMs: latencies(answered),
    errors: countErrors(records),
    accuracy:
      known.length === 0
        ? null
        : { correct: correct.length, known: known.length, top1: correct.length / known.length },
    changing: categories.filter((given) => given.size > 1).length,
  };
}

function categoriesOf(answered: readonly LoadRecord[], images: number): Set<string>[] {
  const categories = Array.from({ length: images }, () => new Set<string>());
  for (const { image, outcome } of answered)
    if ('category' in outcome) categories[image]?.add(outcome.category);
  return categories;
}

function latencies(answered: readonly LoadRecord[]): BenchReport['latencyMs'] {
  const sorted = answered.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const at = (part: number) => rounded(quantileSorted(sorted, part), 2);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return { mean: rounded(mean, 2), p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

function countErrors(records: readonly LoadRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of records)
    if ('code' in outcome) counts[outcome.code] = (counts[outcome.code] ?? 0) + 1;
  return counts;
}

export function reportToText(report: BenchReport): string {
  const { latencyMs, errors, accuracy, changing } = report;
  const lines = [
    `${report.url}: ${describeLoop(report)}, ${report.images} images in turn, ${report.seconds.toFixed(1)} s`,
    `${report.requests} requests: ${report.answered} succeeded (${report.answersPerSecond.toFixed(1)}/s), ${report.failed} failed`,
  ];
  if (latencyMs) {
    const { mean, p50, p95, p99, max } = latencyMs;
    const parts = Object.entries({ p50, p95, p99, max, mean }).map(
      ([name, ms]) => `${name} ${ms.toFixed(1)} ms`,
    );
    lines.push(`latency ${parts.join(', ')}`);
  }
  for (const [code, count] of Object.entries(errors).sort(([, a], [, b]) => b - a))
    lines.push(`  ${count} ${code}`);
  if (accuracy)
    lines.push(
      `accuracy ${(accuracy.top1 * 100).toFixed(1)} %: ${accuracy.correct} of ${accuracy.known} images whose name gives the category`,
    );
  if (changing > 0) lines.push(`${changing} images got different categories at different times`);
  return `${lines.join('\n')}\n`;
}

export function describeLoop({ rate, connections }: Pick<BenchReport, 'rate' | 'connections'>): string {
  return rate === null
    ? `closed loop over ${connections} connections`
    : `open loop of ${rate} requests/s over at most ${connections} connections`;
}
