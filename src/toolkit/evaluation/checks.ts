// A target and a dataset → an error if they do not fit each other.
import { channelCount } from '../../inference/image/channels.js';
import type { Dataset, Split } from '../datasets/dataset.js';
import { toLabel } from '../labels.js';
import { EvaluationError } from './errors.js';
import type { Target } from './targets.js';

/** @throws EvaluationError if the target's labels and the dataset's differ, or are in another order. */
export function checkLabels(
  { folder, labels }: Pick<Target, 'folder' | 'labels'>,
  dataset: Pick<Dataset, 'labels'>,
): void {
  const same =
    labels.length === dataset.labels.length &&
    labels.every((label, i) => toLabel(label) === toLabel(dataset.labels[i] ?? ''));
  if (same) return;
  throw new EvaluationError(
    `${folder}: its labels are ${labels.join(', ')}, but those of the dataset are ${dataset.labels.join(', ')}`,
  );
}

/** @throws EvaluationError if the images do not have the size and channels that the model takes. */
export function checkSplit(file: string, { input }: Pick<Target, 'input'>, test: Split): void {
  const { width, height, channels } = test;
  if (width === input.width && height === input.height && channels === channelCount(input)) return;
  throw new EvaluationError(
    `${file}: takes ${input.width}x${input.height} ${input.channels} images, but the dataset has ` +
      `${width}x${height} with ${channels} channels`,
  );
}
