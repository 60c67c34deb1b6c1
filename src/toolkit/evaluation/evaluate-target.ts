// A target and a dataset → the figures of each variant, as its report.
import type { Dataset } from '../datasets/dataset.js';
import { checkLabels } from './checks.js';
import type { Answers } from './classify.js';
import { evaluateModel } from './evaluate.js';
import { decodeReinked, evaluateReinked, type Reinked } from './reinked.js';
import type { Evaluation, Report } from './report.js';
import { measureSpeeds, type Speed } from './speed.js';
import type { Target } from './targets.js';

export interface EvaluateTargetOptions {
  /** Test images drawn anew as dark ink on paper. */
  readonly reinked?: readonly Reinked[] | undefined;
  /** Runs a part that takes a while under a title, with a bar or without. */
  readonly step?: <T>(
    title: string,
    total: number,
    run: (onProgress: (images: number) => void) => Promise<T>,
  ) => Promise<T>;
  /** Bytes of a process that serves the variant alone. */
  readonly peakRss?: ((variant: string, file: string) => Promise<number>) | undefined;
  /** Least time to measure speeds for, in milliseconds (default: 2000). */
  readonly speedBudgetMs?: number | undefined;
  /** Once a variant is measured. */
  readonly onAnswers?: ((variant: string, answers: Answers) => Promise<void>) | undefined;
}

/** @throws EvaluationError when labels or images are not those that the target takes. */
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
