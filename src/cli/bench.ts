// quati bench: images to a running server, in a closed loop or at a rate → latencies, errors, accuracy.
import { readFile, writeFile } from 'node:fs/promises';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { createClient, type ModelInfo } from '../client/client.js';
import { keyHeaders } from '../client/http.js';
import { type Ask, type Load, type LoadPlan, runLoad } from '../client/load.js';
import { createPoster, type Poster } from '../client/post.js';
import { type BenchReport, describeLoop, reportToText, summariseLoad } from './bench-report.js';
import { apiKeyOption, parseUrl, positiveInteger } from './command-line.js';
import { CommandFailedError, WrongUseError } from './errors.js';
import { categoryOf, findImages, modelOf } from './image-files.js';
import type { CliIo } from './io.js';
import { createProgress } from './progress.js';

export interface BenchFlags {
  apiKey?: string;
  images: string[];
  model?: string;
  connections: number;
  rate?: number;
  duration: number;
  warmUp: number;
  timeout: number;
  plot?: string;
  json?: boolean;
}

export function benchCommand(io: CliIo): Command {
  return new Command('bench')
    .description('send images to a running server for some time, and report latencies, errors and accuracy')
    .addArgument(
      new Argument('[url]', 'the URL of the server').default('http://localhost:8000').argParser(parseUrl),
    )
    .addOption(apiKeyOption())
    .option('--images <paths...>', 'files and folders, like in quati predict', ['imgs/'])
    .option('--model <name>', 'the model for all images')
    .option('--connections <n>', 'the largest number of requests in progress', positiveInteger, 8)
    .option('--rate <n>', 'open loop: requests per second, sent without waiting for responses', positive)
    .option('--duration <seconds>', 'the time of the measurement', positive, 10)
    .option('--warm-up <seconds>', 'the time of the warm-up before it', notNegative, 1)
    .option('--timeout <seconds>', 'the time after which a request counts as failed', positive, 10)
    .option('--plot <file>', 'write a PNG with a plot of latencies and responses over time')
    .option('--json', 'print the figures as JSON')
    .addHelpText(
      'after',
      `
Without --rate, each connection sends a request after the response to the last one: the highest rate for n patient clients.
With --rate, requests are due at fixed times, and latency counts from the due time, as for people who do not wait for each other.

Examples:
  $ quati bench
  $ quati bench http://localhost:8000 --connections 32 --duration 30
  $ quati bench --rate 200 --model mnist --images imgs/mnist --plot load.png
  $ quati bench --rate 50 --json | jq .latencyMs.p99`,
    )
    .action((url: string, flags: BenchFlags) => runBench(url, flags, io));
}

interface BenchImage {
  file: string;
  bytes: Uint8Array;
  path: string;
  expected: string | undefined;
}

/**
 * @throws WrongUseError for paths without images; ServerUnreachableError when no server listens; CommandFailedError
 * when no request succeeded.
 */
export async function runBench(url: string, flags: BenchFlags, io: CliIo): Promise<void> {
  const draw = flags.plot === undefined ? undefined : await loadPlot();
  const files = await findImages(flags.images);
  const signal = io.onInterrupt();
  const models = new Map(
    (await createClient({ baseUrl: url, apiKey: flags.apiKey }).models(signal)).map((model) => [
      model.name,
      model,
    ]),
  );
  const images = await Promise.all(files.map((file) => readImage(file, flags, models)));
  const { connections, rate, duration: seconds, warmUp: warmUpSeconds, timeout } = flags;
  const plan: LoadPlan = { connections, rate, seconds, warmUpSeconds, timeoutMs: timeout * 1000, signal };
  const poster = createPoster(new URL(`${url}/`), connections, keyHeaders(flags.apiKey));
  const load = await measure(poster, plan, images, io);
  const report = summariseLoad(load, plan, { url, expected: images.map((image) => image.expected) });
  if (draw !== undefined && flags.plot !== undefined) await writeFile(flags.plot, await draw(report, load));
  io.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : reportToText(report));
  if (flags.plot !== undefined && !flags.json) io.stdout.write(`${flags.plot}\n`);
  if (report.answered === 0)
    throw new CommandFailedError(`${url}: none of ${report.requests} requests succeeded`);
}

/** Loads the plotting code before the measurement starts: an installation only for serving cannot draw. */
async function loadPlot(): Promise<(report: BenchReport, load: Load) => Promise<Uint8Array>> {
  const { loadSpec } = await import('../toolkit/plots/load.js');
  const { specToSvg, svgToPng } = await import('../toolkit/plots/render.js');
  return async (report, { records }) => {
    const points = records.map(({ outcome, ...record }) => ({ ...record, answered: 'category' in outcome }));
    return await svgToPng(await specToSvg(loadSpec(report.url, describeLoop(report), points)));
  };
}

async function readImage(
  file: string,
  flags: BenchFlags,
  models: ReadonlyMap<string, ModelInfo>,
): Promise<BenchImage> {
  const name = flags.model ?? modelOf(file, models) ?? onlyModel(models);
  if (name !== undefined && !models.has(name))
    throw new WrongUseError(
      `no model has the name ${name}; the models are ${[...models.keys()].join(', ') || 'none'}`,
    );
  const path = name === undefined ? 'predict' : `models/${encodeURIComponent(name)}/predict`;
  const expected = categoryOf(file, models.get(name ?? '')?.labels ?? []);
  return { file, bytes: await readFile(file), path, expected };
}

function onlyModel(models: ReadonlyMap<string, ModelInfo>): string | undefined {
  const [name, ...others] = models.keys();
  return others.length === 0 ? name : undefined;
}

/** Closes the poster. */
async function measure(
  poster: Poster,
  plan: LoadPlan,
  images: readonly BenchImage[],
  io: CliIo,
): Promise<Load> {
  const total = Math.ceil(plan.warmUpSeconds + plan.seconds);
  const progress = createProgress(io.stderr, { title: 'bench', total, inPipe: 'nothing' });
  const started = performance.now();
  const ticking = setInterval(
    () => progress.update(Math.min(total, (performance.now() - started) / 1000), 's'),
    500,
  );
  try {
    return await runLoad(plan, images.length, askWith(poster, images));
  } finally {
    clearInterval(ticking);
    progress.stop();
    poster.close();
  }
}

function askWith(poster: Poster, images: readonly BenchImage[]): Ask {
  return async (index, timeoutMs) => {
    const image = images[index];
    if (image === undefined) return { code: 'no_image' };
    try {
      const { status, body } = await poster.post(image.path, image.bytes, timeoutMs);
      return readAnswer(status, body);
    } catch (error) {
      return { code: (error as NodeJS.ErrnoException).code ?? 'connection_lost' };
    }
  };
}

/** The code of a problem, or the status of a response that is not from a Quati server. */
function readAnswer(status: number, body: string): { category: string } | { code: string } {
  let json: { category?: unknown; code?: unknown };
  try {
    json = JSON.parse(body) as typeof json;
  } catch {
    json = {};
  }
  if (status === 200 && typeof json.category === 'string') return { category: json.category };
  return { code: typeof json.code === 'string' ? json.code : `http_${status}` };
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value < Infinity))
    throw new InvalidArgumentError('expected more than 0');
  return value;
}

function notNegative(text: string): number {
  return Number(text) === 0 && text.trim() !== '' ? 0 : positive(text);
}
