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
  accuracy: Type.Number({ description: 'Of the test split, top-1.' }),
  accuracyInterval: Type.Object(
    { low: Type.Number(), high: Type.Number() },
    { description: "Wilson's, at 95 %." },
  ),
  macro: Type.Object(
    { precision: Type.Number(), recall: Type.Number(), f1: Type.Number() },
    { description: 'Means over the classes.' },
  ),
  calibrationError: Type.Number({ description: 'Expected calibration error over 15 bins.' }),
  parameters: Type.Optional(Type.Integer({ description: 'Missing where its operators are not known here.' })),
  images: Type.Integer(),
  latencyMs: Type.Object(
    { mean: Type.Number(), p50: Type.Number(), p95: Type.Number() },
    { description: 'Milliseconds of one image on one thread, decoding left out.' },
  ),
  imagesPerSecond: Type.Number({ description: 'On one thread, in batches of 32, decoding left out.' }),
  peakRssBytes: Type.Optional(
    Type.Integer({
      description: 'Most memory of a process that serves this variant alone, with one worker.',
    }),
  ),
  reinked: Type.Optional(
    Type.Object(
      { images: Type.Integer(), accuracy: Type.Number() },
      { description: 'Of test digits drawn as dark ink on paper.' },
    ),
  ),
});
export type Evaluation = Static<typeof Evaluation>;

const Report = Type.Object({
  dataset: Type.Object({ name: Type.String(), sha256: Type.String() }),
  date: Type.String(),
  variants: Type.Record(Type.String(), Evaluation, { description: 'By name.' }),
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
    throw new EvaluationError(`${file}: the variants have not been measured: quati evaluate ${folder}`, {
      cause,
    });
  });
  const json = parseJson(text);
  if (validator.Check(json)) return json;
  const [first] = validator.Errors(json);
  const where = json === undefined ? 'is no JSON' : `${first?.instancePath || 'report'} ${first?.message}`;
  throw new EvaluationError(`${file}: ${where}; quati evaluate ${folder} writes it anew`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
