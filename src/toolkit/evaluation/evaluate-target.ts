// A target and a dataset → a report with the figures of each variant.
import type { Dataset } from '../datasets/dataset.js';
import { checkLabels } from './checks.js';
import type { Answers } from './classify.js';
import { evaluateModel } from './evaluate.js';
import { decodeReinked, evaluateReinked, type Reinked } from './reinked.js';
import type { Evaluation, Report } from './report.js';
import { measureSpeeds, type Speed } from './speed.js';
import type { Target } from './targets.js';

export interface EvaluateTargetOptions {
  /** Test images drawn as dark ink on paper. */
  readonly reinked?: readonly Reinked[] | undefined;
  /** Runs a long part of the evaluation. It may show a title and a progress bar. */
  readonly step?: <T>(
    title: string,
    total: number,
    run: (onProgress: (images: number) => void) => Promise<T>,
  ) => Promise<T>;
  /** Returns the peak memory of a process that serves only this variant, in bytes. */
  readonly peakRss?: ((variant: string, file: string) => Promise<number>) | undefined;
  /** Least time to measure speeds for, in milliseconds (default: 2000). */
  readonly speedBudgetMs?: number | undefined;
  /** Called after each variant. */
  readonly onAnswers?: ((variant: string, answers: Answers) => Promise<void>) | undefined;
}

/** Measures all variants of a target. @throws EvaluationError if its labels or input do not fit the dataset. */
export async function evaluateTarget(
  target: Target,
  dataset: Dataset,
  options: EvaluateTargetOptions = {},
): Promise<Report> {
  const { reinked, peakRss, speedBudgetMs, onAnswers } = options;
  const { step = (_title, _total, run) => run(() => {}) } = options;
  checkLabels(target, dataset);
  const digits =
    reinked &&
    (await step(`${target.name} re-inked`, reinked.length, (onProgress) =>
      decodeReinked(reinked, target.input, onProgress),
    ));
  const speeds = await measureSpeeds(target.variants, target, dataset.test, speedBudgetMs);
  const variants: Record<string, Evaluation> = {};
  for (const [variant, file] of target.variants) {
    const title = `${target.name} ${variant}`;
    const { evaluation, answers } = await step(title, dataset.test.count, (onProgress) =>
      evaluateModel(file, target, dataset.test, { onProgress }),
    );
    variants[variant] = {
      ...evaluation,
      ...(speeds.get(variant) as Speed),
      ...(peakRss && { peakRssBytes: await peakRss(variant, file) }),
      ...(digits && { reinked: await evaluateReinked(file, target, digits) }),
    };
    await onAnswers?.(variant, answers);
  }
  return {
    dataset: { name: dataset.name, sha256: dataset.sha256 },
    date: new Date().toISOString(),
    variants,
  };
}
