// Types of the quantisation report, and the report → text.
import type { CalibrationMethod } from './calibrate.js';
import type { ActivationType } from './parameters.js';

export interface LayerReport {
  readonly name: string;
  readonly op: string;
  readonly runs: 'int8' | 'float32';
  /** Why the layer is not int8. */
  readonly reason?: 'excluded' | 'worst loss';
  readonly weights: readonly number[];
  /** Signal over noise of the weights, in decibels; null if there is no difference. */
  readonly weightsDb: number | null;
  /** The same for the layer's result in the int8 model. */
  readonly resultDb: number | null;
  /** The same for the scores if only this layer is int8; null also if it was not measured. */
  readonly aloneDb: number | null;
}

export interface Int8Report {
  readonly activations: ActivationType;
  readonly weightBits: 7 | 8;
  readonly calibration: CalibrationMethod & { readonly images: number };
  /** Signal over noise of the first output, in decibels; null if there is no difference. */
  readonly scoresDb: number | null;
  readonly measuredImages: number;
  readonly layers: readonly LayerReport[];
}

export interface Float16Report {
  readonly scoresDb: number | null;
  readonly measuredImages: number;
  readonly note: string;
}

export interface VariantFile {
  readonly file: string;
  readonly bytes: number;
  /** Bytes divided by the bytes of the float32 file. */
  readonly ratio: number;
}

export interface QuantisationReport {
  readonly source: { readonly file: string; readonly bytes: number };
  readonly int8?: Int8Report & VariantFile;
  readonly float16?: Float16Report & VariantFile;
}

export const float16Note =
  'On a CPU, float16 saves space but no time: weights become float32 when the model is loaded.';

/** Formats a report as text. */
export function describeReport({ source, int8, float16 }: QuantisationReport): string {
  const lines = [`${source.file}: ${source.bytes} bytes`];
  if (float16) lines.push(describeFile(float16), `  ${noise(float16)}`, `  ${float16.note}`);
  if (int8) {
    const { kind, images } = int8.calibration;
    const cut = 'percentile' in int8.calibration ? ` ${int8.calibration.percentile}` : '';
    lines.push(
      describeFile(int8),
      `  activations ${int8.activations}, weights of ${int8.weightBits} bits, ${kind}${cut} on ${images} images`,
      `  ${noise(int8)}`,
      '',
      ...layerTable(int8.layers),
    );
  }
  return `${lines.join('\n')}\n`;
}

function describeFile({ file, bytes, ratio }: VariantFile): string {
  return `${file}: ${bytes} bytes, ${ratio.toFixed(3)} of float32`;
}

function noise({ scoresDb, measuredImages }: Int8Report | Float16Report): string {
  return `scores: ${decibels(scoresDb)} dB of signal over noise on ${measuredImages} images`;
}

function layerTable(layers: readonly LayerReport[]): string[] {
  const measured = layers.some(({ aloneDb }) => aloneDb !== null);
  const header = ['layer', 'runs', 'weights', 'weights dB', 'result dB', ...(measured ? ['alone dB'] : [])];
  const rows = layers.map(({ name, op, runs, reason, weights, ...db }) => [
    `${op} ${name}`,
    reason ? `${runs} (${reason})` : runs,
    weights.join('x'),
    decibels(db.weightsDb),
    decibels(db.resultDb),
    ...(measured ? [decibels(db.aloneDb)] : []),
  ]);
  const table = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
}

function decibels(value: number | null): string {
  return value === null ? '-' : value.toFixed(1);
}
