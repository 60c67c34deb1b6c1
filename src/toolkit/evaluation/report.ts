// The figures of a run's variants ⇄ evaluation.json.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Static, Type } from '#typebox';
import { Compile } from '#typebox/compile';
import { writeJsonAtomic } from '../files.js';
import { EvaluationError } from './errors.js';

export const Evaluation = Type.Object({
  bytes: Type.Integer(),
  sha256: Type.String(),
  accuracy: Type.Number({ description: 'Top-1 accuracy on the test split.' }),
  accuracyInterval: Type.Object(
    { low: Type.Number(), high: Type.Number() },
    { description: "Wilson's interval at 95 %." },
  ),
  macro: Type.Object(
    { precision: Type.Number(), recall: Type.Number(), f1: Type.Number() },
    { description: 'Means over the classes.' },
  ),
  calibrationError: Type.Number({ description: 'Expected calibration error over 15 bins.' }),
  parameters: Type.Optional(Type.Integer({ description: 'Missing if Quati cannot read the file.' })),
  images: Type.Integer(),
  latencyMs: Type.Object(
    { mean: Type.Number(), p50: Type.Number(), p95: Type.Number() },
    { description: 'Milliseconds for one image on one thread, without decoding.' },
  ),
  imagesPerSecond: Type.Number({ description: 'On one thread, in batches of 32, without decoding.' }),
  peakRssBytes: Type.Optional(
    Type.Integer({
      description: 'Peak memory of a process that serves only this variant, with one worker.',
    }),
  ),
  reinked: Type.Optional(
    Type.Object(
      { images: Type.Integer(), accuracy: Type.Number() },
      { description: 'Accuracy on test digits drawn as dark ink on paper.' },
    ),
  ),
});
export type Evaluation = Static<typeof Evaluation>;

const Report = Type.Object({
  dataset: Type.Object({ name: Type.String(), sha256: Type.String() }),
  date: Type.String(),
  variants: Type.Record(Type.String(), Evaluation, { description: 'Figures by name of the variant.' }),
});
export type Report = Static<typeof Report>;

const validator = Compile(Report);
const reportFile = (folder: string) => path.join(folder, 'evaluation.json');

export async function writeReport(folder: string, report: Report): Promise<void> {
  await writeJsonAtomic(reportFile(folder), report);
}

/** Reads evaluation.json. @throws EvaluationError if it does not exist or is not a report. */
export async function readReport(folder: string): Promise<Report> {
  const file = reportFile(folder);
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new EvaluationError(`${file}: the variants are not measured yet: run quati evaluate ${folder}`, {
      cause,
    });
  });
  const json = parseJson(text);
  if (validator.Check(json)) return json;
  const [first] = validator.Errors(json);
  const where = json === undefined ? 'is not JSON' : `${first?.instancePath || 'report'} ${first?.message}`;
  throw new EvaluationError(`${file}: ${where}; quati evaluate ${folder} writes a new one`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
