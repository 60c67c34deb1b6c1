// What a variant might have measured → an evaluation, whole.
import type { Evaluation } from '../../src/toolkit/evaluation/report.js';
import type { SummaryRow } from '../../src/toolkit/evaluation/summary.js';

export function figures(known: Partial<Evaluation> & { ms?: number } = {}): Evaluation {
  const { ms = 0.4, ...rest } = known;
  return {
    bytes: 1000,
    sha256: 'b'.repeat(64),
    accuracy: 0.9,
    accuracyInterval: { low: 0.85, high: 0.95 },
    macro: { precision: 0.91, recall: 0.89, f1: 0.9 },
    calibrationError: 0.01,
    images: 100,
    latencyMs: { mean: 1.1 * ms, p50: ms, p95: 2 * ms },
    imagesPerSecond: 5000.5,
    ...rest,
  };
}

export function summaryRow(name: string, known: Partial<Evaluation> & { ms?: number } = {}): SummaryRow {
  const [model = '', variant = 'float32'] = name.split(' ');
  return {
    model,
    variant,
    file: `runs/${model}/${variant}.onnx`,
    commands: [`npx quati train ${model}`],
    evaluation: figures(known),
  };
}
