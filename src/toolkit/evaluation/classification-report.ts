// True labels and a model's answers → confusion matrix, precision, recall and F1 of each class; and the same as text.

interface ClassFigures {
  readonly label: string;
  /** Right answers of this label / all answers of this label; 0 if there are none. */
  readonly precision: number;
  /** Right answers of this label / images of this label; 0 if there are none. */
  readonly recall: number;
  /** `2 p r / (p + r)`. */
  readonly f1: number;
  /** Images of this label. */
  readonly support: number;
}

type Averages = Omit<ClassFigures, 'label'>;

export interface ClassificationReport {
  readonly accuracy: number;
  readonly classes: readonly ClassFigures[];
  /** Means over the classes that occur in the images or the answers. */
  readonly macro: Averages;
  /** The same means, weighted by support. */
  readonly weighted: Averages;
  /** `confusion[truth][answer]`, numbers of images. */
  readonly confusion: readonly (readonly number[])[];
}

/** Compares answers with the truth. @param truth true labels, like `answers` as indices into `labels`. */
export function classificationReport(
  truth: ArrayLike<number>,
  answers: ArrayLike<number>,
  labels: readonly string[],
): ClassificationReport {
  const confusion = confusionMatrix(truth, answers, labels.length);
  const classes = labels.map((label, i) => ({ label, ...figuresOf(confusion, i) }));
  const occurring = classes.filter((_, i) => rowSum(confusion, i) + columnSum(confusion, i) > 0);
  const right = labels.reduce((sum, _, i) => sum + (confusion[i]?.[i] ?? 0), 0);
  return {
    accuracy: right / truth.length,
    classes,
    macro: average(occurring, () => 1),
    weighted: average(occurring, ({ support }) => support),
    confusion,
  };
}

function confusionMatrix(truth: ArrayLike<number>, answers: ArrayLike<number>, labels: number): number[][] {
  const matrix = Array.from({ length: labels }, () => new Array<number>(labels).fill(0));
  for (let i = 0; i < truth.length; i++) {
    const row = matrix[truth[i] ?? 0];
    const answer = answers[i] ?? 0;
    if (row) row[answer] = (row[answer] ?? 0) + 1;
  }
  return matrix;
}

function figuresOf(confusion: readonly (readonly number[])[], i: number): Averages {
  const right = confusion[i]?.[i] ?? 0;
  const [said, support] = [columnSum(confusion, i), rowSum(confusion, i)];
  const precision = said === 0 ? 0 : right / said;
  const recall = support === 0 ? 0 : right / support;
  const f1 = right === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { precision, recall, f1, support };
}

function average(classes: readonly ClassFigures[], weigh: (figures: ClassFigures) => number): Averages {
  const total = classes.reduce((sum, figures) => sum + weigh(figures), 0);
  const mean = (of: 'precision' | 'recall' | 'f1') =>
    classes.reduce((sum, figures) => sum + weigh(figures) * figures[of], 0) / total;
  return {
    precision: mean('precision'),
    recall: mean('recall'),
    f1: mean('f1'),
    support: classes.reduce((sum, { support }) => sum + support, 0),
  };
}

function rowSum(confusion: readonly (readonly number[])[], i: number): number {
  return (confusion[i] ?? []).reduce((sum, count) => sum + count, 0);
}

function columnSum(confusion: readonly (readonly number[])[], i: number): number {
  return confusion.reduce((sum, row) => sum + (row[i] ?? 0), 0);
}

/** Formats a report in the layout of scikit-learn's classification_report. */
export function reportText({ accuracy, classes, macro, weighted }: ClassificationReport): string {
  const width = Math.max(12, ...classes.map(({ label }) => label.length));
  const line = (name: string, cells: readonly string[]) =>
    `${name.padStart(width)} ${cells.map((cell) => cell.padStart(10)).join('')}\n`;
  const row = (name: string, { precision, recall, f1, support }: Averages) =>
    line(name, [...[precision, recall, f1].map((value) => value.toFixed(4)), String(support)]);
  return [
    line('', ['precision', 'recall', 'f1-score', 'support']),
    '\n',
    ...classes.map((figures) => row(figures.label, figures)),
    '\n',
    line('accuracy', ['', '', accuracy.toFixed(4), String(macro.support)]),
    row('macro avg', macro),
    row('weighted avg', weighted),
  ].join('');
}
