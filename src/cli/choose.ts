// quati choose: the figures from quati evaluate and limits → the variant that fits and why, or the nearest miss.
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
    .description('name the measured variant that meets limits on size, time and accuracy, and explain why')
    .argument('[results]', 'a folder that quati evaluate wrote (default: the only one in results/)')
    .option('--max-bytes <n>', 'the size of the file: 400k is 400,000, 400Ki is 409,600', byteCount)
    .option('--max-ms <n>', 'the median time for one image on one thread', milliseconds)
    .option('--min-accuracy <x>', 'the accuracy on the test images: 0.9 or 90%', fraction)
    .option('--max-rss-bytes <n>', 'the memory of a process that serves it: 150M', byteCount)
    .addOption(
      new Option('--prefer <what>', 'how to choose among the variants that meet the limits')
        .choices(['accuracy', 'latency', 'bytes'])
        .default('accuracy'),
    )
    .option('--json', 'print the choice, or the nearest miss, as JSON')
    .addHelpText(
      'after',
      `
If no variant fits, the exit code is 1 and the nearest miss is shown.

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
  if (!first) throw new CommandFailedError(`no variant in ${folder} meets these limits`);
}

async function onlyResults(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  const candidates: string[] = [];
  for (const name of names.sort())
    if (await exists(path.join(folder, name, `${summaryName}.json`)))
      candidates.push(path.join(folder, name));
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  if (only === undefined) throw new WrongUseError(`${folder}/ has no results: quati evaluate writes them`);
  throw new WrongUseError(`there are results for several datasets: name one of ${candidates.join(', ')}`);
}

/** The file has changed since it was measured. */
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
    const rest = others.map((row) => `  also within the limits: ${describeRow(row)}\n`);
    return `${describeRow(first)}\n  ${among} (${measured} were measured) with ${describeLimits(flags)}\n${rest.join('')}`;
  }
  if (!nearest) return 'there are no measured variants\n';
  const misses = nearest.misses.map((miss) => `  ${describeMiss(miss)}\n`);
  return `no variant fits; the nearest is ${describeRow(nearest.row)}\n${misses.join('')}`;
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
    ...(minAccuracy === undefined ? [] : [`at least ${percent(minAccuracy)} correct`]),
  ];
  return limits.length === 0 ? 'no limit' : limits.join(', ');
}

function describeMiss({ limit, got, allowed, times }: Miss): string {
  const missed = {
    maxBytes: `${got.toLocaleString('en')} bytes, the limit is ${allowed.toLocaleString('en')}`,
    maxMs: `${got.toFixed(3)} ms, the limit is ${allowed}`,
    maxRssBytes: Number.isFinite(got)
      ? `${got.toLocaleString('en')} bytes of memory, the limit is ${allowed.toLocaleString('en')}`
      : 'memory was not measured: run quati evaluate without --no-memory',
    minAccuracy: `${percent(got)} correct, the limit is ${percent(allowed)}`,
  };
  if (!Number.isFinite(times)) return missed[limit];
  const what = limit === 'minAccuracy' ? 'times as many errors' : 'times as much';
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
    throw new InvalidArgumentError('expected bytes, such as 400000, 400k, 1.5M or 400Ki');
  return value;
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value < Infinity))
    throw new InvalidArgumentError('expected milliseconds above 0');
  return value;
}

/** `0.9` or `90%`. */
export function fraction(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%)?$/.exec(text);
  const value = Number(match?.[1] ?? Number.NaN) / (match?.[2] ? 100 : 1);
  if (!(value >= 0 && value <= 1))
    throw new InvalidArgumentError('expected a fraction from 0 to 1, such as 0.9 or 90%');
  return value;
}
