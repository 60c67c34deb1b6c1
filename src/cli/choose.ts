// quati choose: of what quati evaluate measured, the variant that keeps the limits, and why; or the nearest miss.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  type Limits,
  type Miss,
  type Preference,
  type Recommendation,
  recommendVariant,
} from '../toolkit/evaluation/recommend.js';
import { readSummary, type SummaryRow, summaryName } from '../toolkit/evaluation/summary.js';
import { exists, sha256Of } from '../toolkit/files.js';
import { CommandFailedError, WrongUseError } from './errors.js';
import type { CliIo } from './io.js';

interface ChooseFlags extends Limits {
  prefer: Preference;
  json?: boolean;
}

export function chooseCommand(io: CliIo): Command {
  return new Command('choose')
    .description('name the measured variant that keeps limits of size, time and accuracy, and say why')
    .argument('[results]', 'a folder that quati evaluate wrote (default: the only one in results/)')
    .option('--max-bytes <n>', 'of the file: 400k is 400,000, 400Ki is 409,600', byteCount)
    .option('--max-ms <n>', 'median of one image on one thread', milliseconds)
    .option('--min-accuracy <x>', 'of the test images: 0.9 or 90%', fraction)
    .option('--max-rss-bytes <n>', 'of a process that serves it: 150M', byteCount)
    .addOption(
      new Option('--prefer <what>', 'among those that keep them')
        .choices(['accuracy', 'latency', 'bytes'])
        .default('accuracy'),
    )
    .option('--json', 'print the choice, or the nearest miss, as JSON')
    .addHelpText(
      'after',
      `
Exit code 1 when nothing fits: the nearest miss is told.

Examples:
  $ quati choose --max-bytes 400k --max-ms 2 --min-accuracy 0.9
  $ quati choose results/mnist --min-accuracy 99% --prefer bytes`,
    )
    .action((results: string | undefined, flags: ChooseFlags) => runChoose(results, flags, io));
}

export async function runChoose(results: string | undefined, flags: ChooseFlags, io: CliIo): Promise<void> {
  const folder = results ?? (await onlyResults('results'));
  const { rows } = await readSummary(folder);
  const choice = recommendVariant(rows, flags, flags.prefer);
  const [first] = choice.fitting;
  const stale = first && (await staleness(first));
  if (flags.json) io.stdout.write(`${JSON.stringify({ ...choice, ...(stale && { stale }) }, null, 2)}\n`);
  else io.stdout.write(describeChoice(choice, rows.length, flags));
  if (stale) io.stderr.write(`${stale}\n`);
  if (!first) throw new CommandFailedError(`nothing of what ${folder} measured keeps these limits`);
}

async function onlyResults(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  const candidates: string[] = [];
  for (const name of names.sort())
    if (await exists(path.join(folder, name, `${summaryName}.json`)))
      candidates.push(path.join(folder, name));
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  if (only === undefined)
    throw new WrongUseError(`${folder}/ holds nothing that was measured: quati evaluate writes it`);
  throw new WrongUseError(`several datasets were measured on: name one of ${candidates.join(', ')}`);
}

/** Another file lies there now than was measured. */
async function staleness({ file, evaluation }: SummaryRow): Promise<string | undefined> {
  if (!(await exists(file)) || (await sha256Of(file)) === evaluation.sha256) return undefined;
  return `note: ${file} was written after it was measured: quati evaluate ${path.dirname(file)}`;
}

const reasons: Record<Preference, string> = {
  accuracy: 'the most accurate',
  latency: 'the fastest',
  bytes: 'the smallest',
};

function describeChoice({ fitting, nearest }: Recommendation, measured: number, flags: ChooseFlags): string {
  const [first, ...others] = fitting;
  if (first) {
    const among = others.length === 0 ? 'the only one' : `${reasons[flags.prefer]} of the ${fitting.length}`;
    const rest = others.map((row) => `  also keeps them: ${describeRow(row)}\n`);
    return `${describeRow(first)}\n  ${among} (${measured} were measured) with ${describeLimits(flags)}\n${rest.join('')}`;
  }
  if (!nearest) return 'nothing was measured\n';
  const misses = nearest.misses.map((miss) => `  ${describeMiss(miss)}\n`);
  return `nothing fits; nearest: ${describeRow(nearest.row)}\n${misses.join('')}`;
}

function describeRow({ model, variant, file, evaluation }: SummaryRow): string {
  const { bytes, accuracy, latencyMs } = evaluation;
  return (
    `${model} ${variant} (${file}): ${percent(accuracy)}, ` +
    `${latencyMs.p50.toFixed(3)} ms, ${bytes.toLocaleString('en')} bytes`
  );
}

function describeLimits({ maxBytes, maxMs, minAccuracy, maxRssBytes }: Limits): string {
  const limits = [
    ...(maxBytes === undefined ? [] : [`at most ${maxBytes.toLocaleString('en')} bytes`]),
    ...(maxMs === undefined ? [] : [`at most ${maxMs} ms`]),
    ...(maxRssBytes === undefined ? [] : [`at most ${maxRssBytes.toLocaleString('en')} bytes of memory`]),
    ...(minAccuracy === undefined ? [] : [`at least ${percent(minAccuracy)} right`]),
  ];
  return limits.length === 0 ? 'no limit' : limits.join(', ');
}

function describeMiss({ limit, got, allowed, times }: Miss): string {
  const missed = {
    maxBytes: `${got.toLocaleString('en')} bytes, allowed are ${allowed.toLocaleString('en')}`,
    maxMs: `${got.toFixed(3)} ms, allowed are ${allowed}`,
    maxRssBytes: Number.isFinite(got)
      ? `${got.toLocaleString('en')} bytes of memory, allowed are ${allowed.toLocaleString('en')}`
      : 'memory was not measured (quati evaluate without --no-memory does)',
    minAccuracy: `${percent(got)} right, asked for are ${percent(allowed)}`,
  };
  if (!Number.isFinite(times)) return missed[limit];
  const what = limit === 'minAccuracy' ? 'times as many wrong' : 'times as much';
  return `${missed[limit]} (${times.toFixed(2)} ${what})`;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(2)} %`;
}

const units: Record<string, number> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** `400k`, `1.5M`, `400Ki`, `400000`. */
export function byteCount(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(k|M|G|Ki|Mi|Gi)?B?$/.exec(text) ?? [];
  const value = Math.floor(Number(number) * (units[unit] ?? Number.NaN));
  if (number === '' || !(value >= 1))
    throw new InvalidArgumentError('expected bytes, as in 400000, 400k, 1.5M or 400Ki');
  return value;
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value < Infinity))
    throw new InvalidArgumentError('expected milliseconds, more than 0');
  return value;
}

/** `0.9` or `90%`. */
export function fraction(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%)?$/.exec(text);
  const value = Number(match?.[1] ?? Number.NaN) / (match?.[2] ? 100 : 1);
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('expected a part of 1, as in 0.9 or 90%');
  return value;
}
