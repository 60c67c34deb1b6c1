// Measured variants and limits → the variant to use, or the one that misses the limits least.
import type { SummaryRow } from './summary.js';

export interface Limits {
  readonly maxBytes?: number;
  /** Median latency of one image on one thread. */
  readonly maxMs?: number;
  readonly minAccuracy?: number;
  readonly maxRssBytes?: number;
}

export type Preference = 'accuracy' | 'latency' | 'bytes';

/** A limit that a variant exceeds. */
export interface Miss {
  readonly limit: keyof Limits;
  readonly got: number;
  readonly allowed: number;
  /** Bytes, milliseconds or wrong answers, divided by the limit. */
  readonly times: number;
}

export interface Recommendation {
  /** The variants within all limits, best first. */
  readonly fitting: readonly SummaryRow[];
  /** The variant whose worst miss is smallest, if no variant is within all limits. */
  readonly nearest?: { readonly row: SummaryRow; readonly misses: readonly Miss[] };
}

/** Sorts the variants within the limits by preference. Accuracy, latency and size, in this order, decide between equals. */
export function recommendVariant(
  rows: readonly SummaryRow[],
  limits: Limits,
  prefer: Preference = 'accuracy',
): Recommendation {
  const judged = rows.map((row) => ({ row, misses: missesOf(row, limits) }));
  const fitting = judged.flatMap(({ row, misses }) => (misses.length === 0 ? [row] : []));
  if (fitting.length > 0) return { fitting: fitting.sort(order(prefer)) };
  const [nearest] = judged.sort((a, b) => worst(a.misses) - worst(b.misses) || order(prefer)(a.row, b.row));
  return { fitting, ...(nearest && { nearest }) };
}

function missesOf({ evaluation }: SummaryRow, limits: Limits): Miss[] {
  const { maxBytes, maxMs, minAccuracy, maxRssBytes } = limits;
  const { bytes, latencyMs, accuracy, peakRssBytes } = evaluation;
  const most = (limit: keyof Limits, got: number, allowed: number | undefined): Miss[] =>
    allowed === undefined || got <= allowed ? [] : [{ limit, got, allowed, times: got / allowed }];
  return [
    ...most('maxBytes', bytes, maxBytes),
    ...most('maxMs', latencyMs.p50, maxMs),
    ...most('maxRssBytes', peakRssBytes ?? Number.POSITIVE_INFINITY, maxRssBytes),
    ...(minAccuracy === undefined || accuracy >= minAccuracy
      ? []
      : [
          {
            limit: 'minAccuracy' as const,
            got: accuracy,
            allowed: minAccuracy,
            times: (1 - accuracy) / (1 - minAccuracy),
          },
        ]),
  ];
}

function worst(misses: readonly Miss[]): number {
  return Math.max(...misses.map(({ times }) => times));
}

type Order = (a: SummaryRow, b: SummaryRow) => number;

const orders: Record<Preference, Order> = {
  accuracy: (a, b) => b.evaluation.accuracy - a.evaluation.accuracy,
  latency: (a, b) => a.evaluation.latencyMs.p50 - b.evaluation.latencyMs.p50,
  bytes: (a, b) => a.evaluation.bytes - b.evaluation.bytes,
};

function order(prefer: Preference): Order {
  return (a, b) =>
    orders[prefer](a, b) || orders.accuracy(a, b) || orders.latency(a, b) || orders.bytes(a, b);
}

/** Returns the variants that no faster variant equals in accuracy, fastest first. */
export function paretoFront(rows: readonly SummaryRow[]): SummaryRow[] {
  let best = Number.NEGATIVE_INFINITY;
  return [...rows].sort(order('latency')).filter(({ evaluation: { accuracy } }) => {
    const better = accuracy > best;
    best = Math.max(best, accuracy);
    return better;
  });
}
