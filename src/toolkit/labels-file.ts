// A text file with one label per line → the labels. UTF-8, or UTF-16 with a byte order mark.
import { readFile } from 'node:fs/promises';
import { LabelsFileError } from './errors.js';
import { labelProblem, toLabel } from './labels.js';

const encodings = [
  { mark: [0xff, 0xfe, 0, 0], name: undefined },
  { mark: [0, 0, 0xfe, 0xff], name: undefined },
  { mark: [0xff, 0xfe], name: 'utf-16le' },
  { mark: [0xfe, 0xff], name: 'utf-16be' },
] as const;

/**
 * Reads labels. Removes the numbers of a list as Teachable Machine writes it, `0 red`, and sorts by them.
 * @throws LabelsFileError if the file cannot be read, is no such text, or has an empty line or a label twice.
 */
export async function readLabelsFile(file: string): Promise<string[]> {
  const bytes = await readFile(file).catch((cause: Error) => {
    throw new LabelsFileError(`${file}: cannot be read: ${cause.message}`, { cause });
  });
  try {
    return parseLabels(bytes);
  } catch (cause) {
    if (!(cause instanceof LabelsFileError)) throw cause;
    throw new LabelsFileError(`${file}: ${cause.message}`, { cause });
  }
}

/** @throws LabelsFileError without the name of a file. */
export function parseLabels(bytes: Uint8Array): string[] {
  const text = decodeText(bytes).trimEnd();
  if (text === '') throw new LabelsFileError('is empty: expected one label per line');
  if (isJson(text)) throw new LabelsFileError('is JSON: expected a text with one label per line');
  const lines = text.split(/\r\n|\r|\n/).map(toLabel);
  const empty = lines.indexOf('');
  if (empty >= 0) throw new LabelsFileError(`line ${empty + 1} is empty`);
  const labels = withoutNumbers(lines) ?? lines;
  if (labels.length < 2) throw new LabelsFileError('expected at least 2 lines, got 1');
  checkEach(labels);
  return labels;
}

function checkEach(labels: readonly string[]): void {
  const seen = new Map<string, number>();
  for (const [i, label] of labels.entries()) {
    const problem = labelProblem(label);
    if (problem !== undefined) throw new LabelsFileError(`line ${i + 1} ${problem}`);
    const before = seen.get(label);
    if (before !== undefined)
      throw new LabelsFileError(
        `lines ${before + 1} and ${i + 1} are both ${label}: each output needs its own label`,
      );
    seen.set(label, i);
  }
}

function decodeText(bytes: Uint8Array): string {
  const marked = encodings.find(({ mark }) => mark.every((byte, i) => bytes[i] === byte));
  const encoding = marked ? marked.name : 'utf-8';
  const remedy = 'save it as UTF-8, for example with iconv -f <encoding> -t UTF-8';
  if (encoding === undefined) throw new LabelsFileError(`is UTF-32: ${remedy}`);
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LabelsFileError(`is neither UTF-8 nor UTF-16 with a byte order mark: ${remedy}`, { cause });
  }
  if (text.includes('\0'))
    throw new LabelsFileError(
      `has NUL bytes, as UTF-16 without a byte order mark or a binary file: ${remedy}`,
    );
  return text;
}

function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}

/** Only if the numbers are 0…n-1, each once, and the rest is a label each: `2 euro` and `5 euro` are labels. */
function withoutNumbers(lines: readonly string[]): string[] | undefined {
  const labels = new Map<number, string>();
  for (const line of lines) {
    const [, number, label] = /^(\d{1,6})(?:\s+|\s*[:,;]\s*)(\S.*)$/u.exec(line) ?? [];
    if (number === undefined || label === undefined) return undefined;
    labels.set(Number(number), label);
  }
  const sorted = lines.map((_, i) => labels.get(i));
  if (!sorted.every((label) => label !== undefined)) return undefined;
  return new Set(sorted).size === lines.length ? sorted : undefined;
}
