// A float model's file + calibration images → files of its variants and of the report. Errors come before the first file.
import path from 'node:path';
import { writeFileAtomic, writeJsonAtomic } from '../files.js';
import type { CalibrationBatch } from './feeds.js';
import { type Int8Options, quantiseToFloat16, quantiseToInt8 } from './quantise.js';
import { describeReport, type QuantisationReport, type VariantFile } from './report.js';

export const variants = ['int8', 'float16'] as const;
export type QuantisedVariant = (typeof variants)[number];

export interface VariantsRequest {
  readonly model: Uint8Array;
  readonly file: string;
  /** Where the files are written. */
  readonly folder: string;
  readonly to: readonly QuantisedVariant[];
  readonly batches: Iterable<CalibrationBatch>;
  readonly options: Partial<Int8Options>;
}

export interface WrittenVariants {
  readonly report: QuantisationReport;
  readonly reportFile: string;
}

/** Returns a variant's file: `int8.onnx` for `float32.onnx`, as in a run, and `net.int8.onnx` for `net.onnx`. */
function variantFile(file: string, folder: string, name: string): string {
  const stem = path.basename(file, '.onnx');
  return path.join(folder, stem === 'float32' ? name : `${stem}.${name}`);
}

/** Quantises a model and writes the files. @throws QuantisationError, GraphError, UnsupportedOperatorError before the first file. */
export async function writeVariants(request: VariantsRequest): Promise<WrittenVariants> {
  const { model, file, folder, to, batches, options } = request;
  const int8 = to.includes('int8') ? await quantiseToInt8(model, file, batches, options) : undefined;
  const float16 = to.includes('float16') ? await quantiseToFloat16(model, file, batches, options) : undefined;
  const described = (name: QuantisedVariant, bytes: Uint8Array): VariantFile => ({
    file: variantFile(file, folder, `${name}.onnx`),
    bytes: bytes.byteLength,
    ratio: bytes.byteLength / model.byteLength,
  });
  const report: QuantisationReport = {
    source: { file, bytes: model.byteLength },
    ...(int8 && { int8: { ...described('int8', int8.model), ...int8.report } }),
    ...(float16 && { float16: { ...described('float16', float16.model), ...float16.report } }),
  };
  if (report.int8 && int8) await writeFileAtomic(report.int8.file, int8.model);
  if (report.float16 && float16) await writeFileAtomic(report.float16.file, float16.model);
  const reportFile = variantFile(file, folder, 'quantisation.txt');
  await writeFileAtomic(reportFile, describeReport(report));
  await writeJsonAtomic(variantFile(file, folder, 'quantisation.json'), report);
  return { report, reportFile };
}
