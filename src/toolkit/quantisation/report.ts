// What was quantised, and what it cost → a document for scripts, and the same as text.
import type { CalibrationMethod } from './calibrate.js';
import type { ActivationType } from './parameters.js';

export interface LayerReport {
  readonly name: string;
  readonly op: string;
  readonly runs: 'int8' | 'float32';
  /** Why it is not int8. */
  readonly reason?: 'excluded' | 'worst loss';
  readonly weights: readonly number[];
  /** Decibels of signal over noise: of the weights, of the layer's result in the whole int8 model, and of the scores with this layer alone as integers. Null: no difference, or not measured. */
  readonly weightsDb: number | null;
  readonly resultDb: number | null;
  readonly aloneDb: number | null;
}

export interface Int8Report {
  readonly activations: ActivationType;
  readonly weightBits: 7 | 8;
  readonly calibration: CalibrationMethod & { readonly images: number };
  /** The first output's, as all noise above. */
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
  /** Of the float32 file's bytes. */
  readonly ratio: number;
}

export interface QuantisationReport {
  readonly source: { readonly file: string; readonly bytes: number };
  readonly int8?: Int8Report & VariantFile;
  readonly float16?: Float16Report & VariantFile;
}

export const float16Note =
  'On a CPU float16 saves space, not time: weights become float32 when the model is loaded.';

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
