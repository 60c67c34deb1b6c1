// quati predict: images in files and folders → a running server → its predictions on the terminal.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command, Option } from 'commander';
import { pMapIterable } from 'p-map';
import {
  type Client,
  type ClientOptions,
  createClient,
  type ModelInfo,
  ServerUnreachableError,
} from '../client/client.js';
import { QuatiError } from '../inference/errors.js';
import { nameKinds } from '../inference/image/kinds.js';
import { apiKeyOption, parseUrl, positiveInteger } from './command-line.js';
import { CommandFailedError } from './errors.js';
import { categoryOf, findImages, modelOf } from './image-files.js';
import type { CliIo } from './io.js';
import {
  answeredToText,
  count,
  failedToText,
  isFailed,
  type Outcome,
  outcomeToJson,
  summarise,
  summaryToText,
} from './predict-report.js';
import { createProgress } from './progress.js';
import { type DrawPicture, loadPictures } from './terminal-picture.js';

export interface PredictFlags {
  url: string;
  apiKey?: string;
  model?: string;
  concurrency: number;
  top: number;
  json?: boolean;
  picture: boolean;
}

export function predictCommand(io: CliIo): Command {
  return new Command('predict')
    .description(
      'post images to a running server and print its predictions; imgs/<model>/… goes to that model, and the ' +
        'accuracy is shown if names are <category>-<n>.png or <category>/…',
    )
    .argument('<paths...>', `files, and folders with ${nameKinds('and')} files`)
    .addOption(
      new Option('--url <url>', 'the URL of the server').default('http://localhost:8000').argParser(parseUrl),
    )
    .addOption(apiKeyOption())
    .option('--model <name>', 'the model for all images')
    .option('--concurrency <n>', 'the largest number of requests in progress', positiveInteger, 4)
    .option('--top <n>', 'the number of categories to print', positiveInteger, 1)
    .option('--json', 'print one JSON document with results and summary')
    .option('--no-picture', 'do not draw the images')
    .addHelpText(
      'after',
      '\nExamples:\n  $ quati predict imgs/\n  $ quati predict photo.jpg --model mnist --top 3' +
        '\n  $ quati predict imgs/ --json | jq .summary',
    )
    .action((paths: string[], flags: PredictFlags) => runPredict(paths, flags, io));
}

/**
 * @throws WrongUseError for a path without images; ServerUnreachableError, once; CommandFailedError when an image
 * failed, after everything is printed.
 * @param overrides lets tests replace fetch.
 */
export async function runPredict(
  paths: readonly string[],
  flags: PredictFlags,
  io: CliIo,
  overrides: Partial<ClientOptions> = {},
): Promise<void> {
  const files = await findImages(paths);
  const run = await startRun(flags, io, overrides);
  const progress = createProgress(io.stderr, {
    title: 'predict',
    total: files.length,
    eta: true,
    inPipe: 'nothing',
  });
  const outcomes: Outcome[] = [];
  let stopped: Error | undefined;
  const started = performance.now();
  try {
    for await (const outcome of outcomesInOrder(files, run)) {
      if (isFailed(outcome) && (run.signal.aborted || outcome.error instanceof ServerUnreachableError)) {
        stopped = outcome.error;
        break;
      }
      outcomes.push(outcome);
      progress.above(() => print(outcome, run));
      progress.update(outcomes.length);
    }
  } finally {
    progress.stop();
  }
  const seconds = (performance.now() - started) / 1000;
  conclude(outcomes, { files, seconds, stopped }, run);
}

interface Run {
  client: Client;
  /** The server's models by name. */
  models: ReadonlyMap<string, ModelInfo>;
  flags: PredictFlags;
  io: CliIo;
  signal: AbortSignal;
  /** Draws an image in the terminal; undefined if drawing is off or the terminal cannot show it. */
  drawPicture: DrawPicture | undefined;
}

async function startRun(flags: PredictFlags, io: CliIo, overrides: Partial<ClientOptions>): Promise<Run> {
  const client = createClient({ baseUrl: flags.url, apiKey: flags.apiKey, ...overrides });
  const signal = io.onInterrupt();
  const pictures = flags.picture && !flags.json && io.colourLevel > 0;
  const models = new Map((await client.models(signal)).map((model) => [model.name, model]));
  if (flags.model !== undefined && !models.has(flags.model))
    throw new CommandFailedError(
      `${flags.url}: no model has the name ${flags.model}; the models are ${[...models.keys()].join(', ') || 'none'}`,
    );
  const drawPicture = pictures ? await loadPictures() : undefined;
  return { client, models, flags, io, signal, drawPicture };
}

function outcomesInOrder(files: readonly string[], run: Run): AsyncIterable<Outcome> {
  const { concurrency } = run.flags;
  return pMapIterable(files, (file) => predictFile(file, run), {
    concurrency,
    backpressure: 4 * concurrency,
  });
}

async function predictFile(file: string, run: Run): Promise<Outcome> {
  const { client, flags, io, signal, drawPicture } = run;
  try {
    const bytes = await readFile(file);
    const model = flags.model ?? modelOf(file, run.models);
    const started = performance.now();
    const filename = path.basename(file);
    const given = { model, top: flags.top, filename, signal, retries: retriesFor(model, run) };
    const prediction = await client.predict(bytes, given);
    const latencyMs = performance.now() - started;
    const expected = categoryOf(file, run.models.get(prediction.model.name)?.labels ?? []);
    const picture = await drawPicture?.(bytes, io.colourLevel);
    return { file, prediction, latencyMs, expected, picture };
  } catch (error) {
    if (signal.aborted) return { file, error: signal.reason as Error };
    if (error instanceof QuatiError || isSystemError(error)) return { file, error };
    throw error;
  }
}

/** Returns 0 for a model that the server lists as not ready: a pause for every image would take minutes. */
function retriesFor(model: string | undefined, { models }: Run): number | undefined {
  return model !== undefined && models.get(model)?.ready === false ? 0 : undefined;
}

/** An error of the file system: ENOENT, EACCES, EISDIR, … */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function print(outcome: Outcome, { flags, io }: Run): void {
  if (isFailed(outcome)) io.stderr.write(failedToText(outcome, io.stderr.isTTY ? io.colourLevel : 0));
  else if (!flags.json) io.stdout.write(answeredToText(outcome, io.colourLevel));
}

interface Ending {
  files: readonly string[];
  seconds: number;
  stopped: Error | undefined;
}

function conclude(outcomes: Outcome[], { files, seconds, stopped }: Ending, { flags, io }: Run): void {
  const summary = summarise(outcomes, files.length, seconds);
  const error = stopped === undefined ? {} : { error: stopped.message };
  const report = { url: flags.url, results: outcomes.map(outcomeToJson), summary, ...error };
  io.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : summaryToText(summary));
  if (stopped !== undefined) throw stopped;
  if (summary.failed > 0)
    throw new CommandFailedError(`${summary.failed} of ${count(summary.images, 'image')} failed`);
}
