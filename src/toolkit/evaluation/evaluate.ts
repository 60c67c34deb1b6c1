// A model file + a test split → accuracy, size, and each answer, through the code that serves.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { channelCount } from '../../inference/image/channels.js';
import { openSession } from '../../inference/workers/session.js';
import type { Dataset, Split } from '../datasets/dataset.js';
import { classificationReport } from './classification-report.js';
import { type Answers, classifySplit } from './classify.js';
import { EvaluationError } from './errors.js';
import { countParameters } from './parameters.js';
import { reliability } from './reliability.js';
import type { Evaluation } from './report.js';
import type { Speed } from './speed.js';
import type { Target } from './targets.js';
import { wilsonInterval } from './wilson.js';

export interface EvaluateOptions {
  readonly onProgress?: (images: number) => void;
}

/** What does not depend on the machine's speed. */
export type Judgement = Omit<Evaluation, keyof Speed>;

export interface Measurement {
  readonly evaluation: Judgement;
  readonly answers: Answers;
}

export async function evaluateModel(
  file: string,
  target: Pick<Target, 'input' | 'output' | 'labels'>,
  test: Split,
  { onProgress }: EvaluateOptions = {},
): Promise<Measurement> {
  checkSplit(file, target, test);
  const model = await readFile(file);
  const session = await openSession(model, { input: target.input });
  try {
    const answers = await classifySplit(session, target, test, onProgress);
    const parameters = countParameters(model, file);
    const evaluation = {
      bytes: model.byteLength,
      sha256: createHash('sha256').update(model).digest('hex'),
      ...(parameters !== undefined && { parameters }),
      ...judge(answers, target, test),
      images: test.count,
    };
    return { evaluation, answers };
  } finally {
    await session.release();
  }
}

/** 1 where the answer was right. */
export function rightAnswers({ categories }: Pick<Answers, 'categories'>, test: Split): Uint8Array {
  return categories.map((category, i) => (category === test.labels[i] ? 1 : 0));
}

function judge(answers: Answers, { labels }: Pick<Target, 'labels'>, test: Split) {
  const { accuracy, macro } = classificationReport(test.labels, answers.categories, labels);
  const { precision, recall, f1 } = macro;
  const right = rightAnswers(answers, test);
  return {
    accuracy,
    accuracyInterval: wilsonInterval(Math.round(accuracy * test.count), test.count),
    macro: { precision, recall, f1 },
    calibrationError: reliability(answers.confidences, right).expectedCalibrationError,
  };
}

/** @throws EvaluationError when answers would be counted against other labels, or in another order. */
export function checkLabels(
  { folder, labels }: Pick<Target, 'folder' | 'labels'>,
  dataset: Pick<Dataset, 'labels'>,
): void {
  const same =
    labels.length === dataset.labels.length && labels.every((label, i) => label === dataset.labels[i]);
  if (same) return;
  throw new EvaluationError(
    `${folder}: tells ${labels.join(', ')} apart, the dataset holds ${dataset.labels.join(', ')}`,
  );
}

/** @throws EvaluationError when the images are not of the size and channels that the model takes. */
export function checkSplit(file: string, { input }: Pick<Target, 'input'>, test: Split): void {
  const { width, height, channels } = test;
  if (width === input.width && height === input.height && channels === channelCount(input)) return;
  throw new EvaluationError(
    `${file}: takes ${input.width}x${input.height} ${input.channels} images, the dataset has ` +
      `${width}x${height} with ${channels} channels`,
  );
}
