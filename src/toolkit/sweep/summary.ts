// The results of a sweep → mean and standard deviation over the seeds of each setting, and the table of them.
import { mean, sampleStandardDeviation } from 'simple-statistics';
import { markdownTable } from '../plots/table.js';
import { type Setting, settingsOf } from './grid.js';
import type { SweepRecord, SweepResult } from './record.js';

export interface SettingSummary extends Setting {
  /** The accuracies on the test split, one per run. */
  readonly accuracies: readonly number[];
  readonly mean: number;
  /** Standard deviation with n - 1 in the denominator; undefined for fewer than two runs. */
  readonly deviation?: number;
}

/** The settings that have a result: those with real activations first, each group sorted by accuracy. */
export function summarise(results: readonly SweepResult[]): SettingSummary[] {
  const unique = <T>(values: readonly T[]) => [...new Set(values)];
  const settings = settingsOf({
    signGradients: unique(results.map(({ signGradient }) => signGradient)),
    blockOrders: unique(results.map(({ blockOrder }) => blockOrder)),
    activations: unique(results.map(({ activations }) => activations))
      .sort()
      .reverse(),
  });
  return settings
    .flatMap((setting) => summariseSetting(setting, results))
    .sort((a, b) => b.activations.localeCompare(a.activations) || b.mean - a.mean);
}

function summariseSetting(setting: Setting, results: readonly SweepResult[]): SettingSummary[] {
  const { signGradient, blockOrder, activations } = setting;
  const accuracies = results.flatMap((result) =>
    result.signGradient === signGradient &&
    result.blockOrder === blockOrder &&
    result.activations === activations
      ? [result.accuracy]
      : [],
  );
  if (accuracies.length === 0) return [];
  return [
    {
      ...setting,
      accuracies,
      mean: mean(accuracies),
      ...(accuracies.length > 1 && { deviation: sampleStandardDeviation(accuracies) }),
    },
  ];
}

export function sweepTable(record: SweepRecord): string {
  const rows = summarise(record.results).map((summary) => [
    summary.activations === 'binary' ? 'weights and activations' : 'weights',
    summary.signGradient,
    summary.blockOrder,
    meanAndDeviation(summary),
    String(summary.accuracies.length),
  ]);
  return markdownTable([['±1', 'gradient of the sign', 'order', 'test accuracy', 'runs'], ...rows]);
}

function meanAndDeviation({ mean, deviation }: SettingSummary): string {
  const percent = (part: number) => (100 * part).toFixed(2);
  return deviation === undefined ? `${percent(mean)} %` : `${percent(mean)} ± ${percent(deviation)} %`;
}
