// A card and its files → the fastest variant on this machine among those that are accurate enough, and the reason.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ModelError } from '../errors.js';
import type { Card, VariantName } from './card.js';
import type { MeasureTask } from './measure-process.js';

/** The figures of a variant at the time of the choice. */
export interface VariantFigures {
  variant: VariantName;
  /** The accuracy on the test split, from the card. */
  accuracy?: number;
  /** The median for one image on one thread of this machine; absent if the accuracy excludes the variant. */
  latencyMs?: number;
  /** Whether its accuracy is within the card's tolerance of the best accuracy. */
  accurateEnough: boolean;
}

export interface VariantChoice {
  variant: VariantName;
  variantReason: string;
  /** The end of `variantReason` that may hold paths and texts of the system. It is not for clients. */
  variantTrouble?: string;
  figures?: VariantFigures[];
}

/** The milliseconds of each file, by its sha256. */
export type Measure = (task: MeasureTask) => Promise<Record<string, number>>;

export interface AutoOptions {
  measure?: Measure;
  /** The folder for the figures; by default quati/ in $XDG_CACHE_HOME or ~/.cache. */
  cacheFolder?: string;
}

const defaultTolerance = 0.002;

/**
 * Returns the fastest of the variants that are accurate enough. A separate process measures them and then exits, because released
 * sessions leave memory behind. The figures are kept for this machine. If the measurement fails, the card's default is used.
 */
export async function chooseFastest(
  card: Card,
  folder: string,
  options: AutoOptions = {},
): Promise<VariantChoice> {
  const judged = judgeAccuracy(card);
  const able = judged.filter(({ accurateEnough }) => accurateEnough);
  const [only] = able;
  if (able.length <= 1) {
    const variant = only?.variant ?? card.defaultVariant;
    const variantReason = `${variant} is the only variant whose accuracy is within ${toleranceOf(card)} of the best`;
    return { variant, variantReason, figures: judged };
  }
  try {
    const times = await timesOf(card, folder, able, options);
    const figures = judged.map((one) => {
      const latencyMs = times.milliseconds[sha256Of(card, one.variant)];
      return { ...one, ...(latencyMs !== undefined && one.accurateEnough && { latencyMs }) };
    });
    const ranked = figures.filter((one) => one.latencyMs !== undefined).sort(byLatency);
    return { ...describeChoice(card, ranked, times), figures };
  } catch (error) {
    const variant = card.defaultVariant;
    const variantTrouble = `: ${(error as Error).message}`;
    const variantReason = `${variant} is the card's default: the variants could not be measured${variantTrouble}`;
    return { variant, variantReason, variantTrouble, figures: judged };
  }
}

function toleranceOf(card: Card): number {
  return card.accuracyTolerance ?? defaultTolerance;
}

/** Figures of a card have few digits, so a value at the limit is within the limit. */
const rounding = 1e-9;

/** A variant without an accuracy in the card is accepted only if it is the card's default. */
function judgeAccuracy(card: Card): VariantFigures[] {
  const variants = Object.entries(card.variants) as [VariantName, { accuracy?: number }][];
  const best = Math.max(...variants.map(([, { accuracy }]) => accuracy ?? 0));
  return variants.map(([variant, { accuracy }]) => ({
    variant,
    ...(accuracy !== undefined && { accuracy }),
    accurateEnough:
      accuracy === undefined
        ? variant === card.defaultVariant
        : accuracy >= best - toleranceOf(card) - rounding,
  }));
}

function byLatency(a: VariantFigures, b: VariantFigures): number {
  return (a.latencyMs ?? Number.POSITIVE_INFINITY) - (b.latencyMs ?? Number.POSITIVE_INFINITY);
}

function describeChoice(
  card: Card,
  ranked: readonly VariantFigures[],
  { kept, trouble }: Times,
): VariantChoice {
  const [first] = ranked;
  if (!first) throw new ModelError('no variant was measured');
  const list = ranked.map(({ variant, latencyMs = 0 }) => `${variant} ${latencyMs.toFixed(3)} ms`).join(', ');
  const reason = `the fastest here within ${toleranceOf(card)} of the best accuracy: ${list} (${kept}${trouble ?? ''})`;
  return {
    variant: first.variant,
    variantReason: `${first.variant} is ${reason}`,
    ...(trouble !== undefined && { variantTrouble: trouble }),
  };
}

function sha256Of(card: Card, variant: VariantName): string {
  return card.variants[variant]?.sha256 ?? '';
}

interface Times {
  milliseconds: Record<string, number>;
  /** The source of the figures, and whether they were kept. */
  kept: string;
  /** Why they were not. */
  trouble?: string;
}

async function timesOf(
  card: Card,
  folder: string,
  able: readonly VariantFigures[],
  { measure = measureInProcess, cacheFolder = defaultCacheFolder() }: AutoOptions,
): Promise<Times> {
  const file = join(cacheFolder, `latency-${machineFingerprint()}.json`);
  const known = await readTimes(file);
  const files = able.map(({ variant }) => ({
    sha256: sha256Of(card, variant),
    file: join(folder, card.variants[variant]?.file ?? ''),
  }));
  // Figures from different times cannot be compared, so all variants of a model are measured together.
  if (files.every(({ sha256 }) => known[sha256] !== undefined))
    return { milliseconds: known, kept: 'measured before' };
  const measured = await measure({ input: card.input, files });
  const milliseconds = { ...known, ...measured };
  try {
    await writeTimes(file, milliseconds);
  } catch (error) {
    return { milliseconds, kept: 'measured now, not kept', trouble: `: ${(error as Error).message}` };
  }
  return { milliseconds, kept: 'measured now' };
}

function defaultCacheFolder(): string {
  const { XDG_CACHE_HOME: folder = '' } = process.env;
  return join(folder === '' ? join(homedir(), '.cache') : folder, 'quati');
}

const require = createRequire(import.meta.url);

/** The facts that determine how fast a file runs: processor, number of cores, runtime. */
function machineFingerprint(): string {
  const { version } = require('onnxruntime-node/package.json') as { version: string };
  const parts = [process.platform, process.arch, cpus()[0]?.model, availableParallelism(), version];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}

/** Returns no figures for a file that is missing or not JSON with numbers. */
async function readTimes(file: string): Promise<Record<string, number>> {
  try {
    const json: unknown = JSON.parse(await readFile(file, 'utf8'));
    const entries = Object.entries(json ?? {}).filter(([, value]) => typeof value === 'number' && value > 0);
    return Object.fromEntries(entries);
  } catch {
    return {};
  }
}

/** Node's recursive mkdir never ends in a folder that forbids new ones with ENOENT, such as /proc. */
async function makeFolder(folder: string): Promise<void> {
  const unlessThere = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  };
  await mkdir(folder).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' || dirname(folder) === folder) return unlessThere(error);
    await makeFolder(dirname(folder));
    return await mkdir(folder).catch(unlessThere);
  });
}

async function writeTimes(file: string, times: Record<string, number>): Promise<void> {
  await makeFolder(dirname(file));
  const beside = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(beside, JSON.stringify(times, null, 2));
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

const patienceMs = 60_000;

/** @throws ModelError when the process fails or takes more than a minute. */
export async function measureInProcess(task: MeasureTask): Promise<Record<string, number>> {
  const script = fileURLToPath(new URL('./measure-process.js', import.meta.url));
  const child = spawn(process.execPath, [script], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: patienceMs,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(task));
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new ModelError(`the measuring process exited with ${code}: ${lastLine(errors)}`);
  return JSON.parse(output) as Record<string, number>;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
