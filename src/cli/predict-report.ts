// Outcomes of quati predict → lines for people, one JSON document for scripts.
import { Chalk } from 'chalk';
import { quantile } from 'simple-statistics';
import { type Prediction, ProblemError } from '../client/client.js';
import type { ColourLevel } from './io.js';

export interface Answered {
  file: string;
  prediction: Prediction;
  latencyMs: number;
  /** The category that the file's or folder's name gives; undefined if it gives none. */
  expected: string | undefined;
  /** The lines of the image drawn in the terminal; undefined if it is not drawn. */
  picture: string[] | undefined;
}

export interface Failed {
  file: string;
  error: Error;
}

export type Outcome = Answered | Failed;

export interface Summary {
  images: number;
  ok: number;
  failed: number;
  seconds: number;
  imagesPerSecond: number;
  latencyMs: { p50: number; p95: number } | null;
  /** Over the images whose name gives the category. */
  accuracy: { correct: number; known: number; top1: number } | null;
}

export function isFailed(outcome: Outcome): outcome is Failed {
  return 'error' in outcome;
}

/** @param images the number of images to post; fewer outcomes mean that the run was stopped. */
export function summarise(outcomes: readonly Outcome[], images: number, seconds: number): Summary {
  const answered = outcomes.filter((outcome): outcome is Answered => !isFailed(outcome));
  const latencies = answered.map(({ latencyMs }) => latencyMs);
  const known = answered.filter(({ expected }) => expected !== undefined);
  const correct = known.filter(({ expected, prediction }) => expected === prediction.category).length;
  return {
    images,
    ok: answered.length,
    failed: outcomes.length - answered.length,
    seconds: rounded(seconds, 3),
    imagesPerSecond: seconds > 0 ? rounded(answered.length / seconds, 1) : 0,
    latencyMs:
      latencies.length === 0
        ? null
        : { p50: rounded(quantile(latencies, 0.5), 2), p95: rounded(quantile(latencies, 0.95), 2) },
    accuracy: known.length === 0 ? null : { correct, known: known.length, top1: correct / known.length },
  };
}

export function outcomeToJson(outcome: Outcome): object {
  if (isFailed(outcome)) {
    const { file, error } = outcome;
    if (!(error instanceof ProblemError)) return { file, error: { message: error.message } };
    const { status, code, detail, requestId } = error;
    return { file, error: { message: error.message, status, code, detail, requestId } };
  }
  const { file, prediction, latencyMs, expected } = outcome;
  const judged = expected === undefined ? {} : { expected, correct: expected === prediction.category };
  return { file, ...prediction, latencyMs: rounded(latencyMs, 2), ...judged };
}

/** Returns one line per image, and one for each further category, next to the drawn image if there is one. */
export function answeredToText(answered: Answered, level: ColourLevel): string {
  const { file, prediction, latencyMs, expected, picture } = answered;
  const chalk = new Chalk({ level });
  const wrong = expected !== undefined && expected !== prediction.category;
  const name = printable(prediction.category);
  const facts = [
    wrong ? chalk.red.bold(name) : chalk.green.bold(name),
    percent(prediction.confidence),
    `${latencyMs.toFixed(1)} ms`,
    ...(wrong ? [chalk.red(`expected ${printable(expected)}`)] : []),
  ].join('  ');
  const others = prediction.predictions
    .slice(1)
    .map(({ category, confidence }) => chalk.dim(`${printable(category)}  ${percent(confidence)}`));
  if (picture === undefined)
    return [`${printable(file)}  ${facts}`, ...others.map((line) => `  ${line}`), ''].join('\n');
  return `${beside(picture, [printable(file), facts, ...others]).join('\n')}\n\n`;
}

export function failedToText({ file, error }: Failed, level: ColourLevel): string {
  return `${new Chalk({ level }).red(`${printable(file)}: ${printable(error.message)}`)}\n`;
}

export function summaryToText(summary: Summary): string {
  const { images, ok, failed, imagesPerSecond, latencyMs, accuracy } = summary;
  const parts = [`${count(images, 'image')}: ${ok} ok, ${failed} failed`];
  if (latencyMs !== null)
    parts.push(
      `${imagesPerSecond.toFixed(1)} images/s`,
      `latency p50 ${latencyMs.p50.toFixed(1)} ms, p95 ${latencyMs.p95.toFixed(1)} ms`,
    );
  const lines = [parts.join(', ')];
  if (accuracy !== null)
    lines.push(
      `accuracy ${percent(accuracy.top1)}: ${accuracy.correct} of ${accuracy.known} whose name gives the category`,
    );
  return `${lines.join('\n')}\n`;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function beside(picture: string[], text: string[]): string[] {
  return Array.from({ length: Math.max(picture.length, text.length) }, (_, row) =>
    `${picture[row] ?? ''.padEnd(14)}  ${text[row] ?? ''}`.trimEnd(),
  );
}

/** File names and a server's texts must not send control characters to the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
