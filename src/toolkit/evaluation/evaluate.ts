// A model file + a test split → accuracy, size, and the answer to each image, by the code that serves.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { openSession } from '../../inference/workers/session.js';
import type { Split } from '../datasets/dataset.js';
import { checkSplit } from './checks.js';
import { classificationReport } from './classification-report.js';
import { type Answers, classifySplit } from './classify.js';
import { countParameters } from './parameters.js';
import { reliability } from './reliability.js';
import type { Evaluation } from './report.js';
import type { Speed } from './speed.js';
import type { Target } from './targets.js';
import { wilsonInterval } from './wilson.js';

export interface EvaluateOptions {
  readonly onProgress?: (images: number) => void;
}

/** The figures that do not depend on the speed of the machine. */
type Judgement = Omit<Evaluation, keyof Speed>;

export interface Measurement {
  readonly evaluation: Judgement;
  readonly answers: Answers;
}

/** Classifies a test split. @throws EvaluationError if the images do not fit the model. */
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

/** Returns 1 for each right answer and 0 for each wrong one. */
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
