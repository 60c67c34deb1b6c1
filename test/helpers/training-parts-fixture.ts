// What test/fixtures/pytorch/record_training_parts.py recorded.
import { readFileSync } from 'node:fs';
import { projectUrl } from './project.js';

interface RecordedSteps {
  /** Step → weight, bias and scale, one after the other. */
  readonly parameters: Readonly<Record<string, readonly number[]>>;
}

interface RecordedLoss {
  readonly loss: number;
  readonly gradient: readonly number[];
  readonly correct: number;
}

interface RecordedBinaryLoss {
  readonly losses: readonly number[];
  readonly gradient: readonly number[];
}

export interface TrainingPartsFixture {
  readonly steps: number;
  readonly learningRates: readonly number[];
  readonly optimisers: Readonly<Record<string, RecordedSteps>>;
  readonly schedules: Readonly<Record<string, readonly number[]>>;
  readonly labels: readonly number[];
  /** Label smoothing → value and gradient. */
  readonly crossEntropy: Readonly<Record<string, RecordedLoss>>;
  readonly binaryLogits: readonly number[];
  /** Label → values and gradients. */
  readonly binaryCrossEntropy: Readonly<Record<string, RecordedBinaryLoss>>;
}

const file = new URL('test/fixtures/pytorch/training_parts.json', projectUrl);
export const parts = JSON.parse(readFileSync(file, 'utf8')) as TrainingPartsFixture;
