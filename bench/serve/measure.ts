// A running server → its responses under a load, with their processor time and memory.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { median } from 'simple-statistics';
import { plainScript } from '../plain-script.js';
import type { Contender, Target, Upload } from './contenders.js';
import type { LoadResult } from './load.js';
import { type RunningServer, startServer } from './processes.js';

/** One kind of load. */
export interface Cell {
  upload: Upload;
  connections: number;
}

export interface Measure extends LoadResult {
  /** The processor time per request, of all processes of the server. */
  cpuMs: number;
  /** The resident bytes after the load. */
  rss: number;
  /** The 99th percentile of the event loop's delay, if the server has that figure. */
  loopMs?: number;
}

export interface Server {
  contender: Contender;
  process: RunningServer;
  target: Target;
  port: number;
  /** The median over the starts. */
  readyMs: number;
  /** The resident bytes before the first load. */
  idleRss: number;
  measured: { cell: Cell; measure: Measure }[];
}

export interface Soak {
  seconds: number;
  /** The resident bytes after a tenth of the time, when all code has run once, and at the end. */
  early: number;
  late: number;
}

const loadScript = plainScript('bench/serve/load.ts');
const inprocessScript = plainScript('bench/serve/inprocess.ts');

/** Starts the server `starts` times. The last start stays running. */
export async function openServer(
  contender: Contender,
  target: Target,
  port: number,
  starts: number,
): Promise<Server> {
  let process = await startServer(contender.start(target, port));
  const readyMs = [process.readyMs];
  while (readyMs.length < starts) {
    await process.stop();
    process = await startServer(contender.start(target, port));
    readyMs.push(process.readyMs);
  }
  return { contender, process, target, port, readyMs: median(readyMs), idleRss: 0, measured: [] };
}

/** Adds a measurement to the server. @throws Error when a request failed. */
export async function measureLoad(server: Server, cell: Cell, seconds: number): Promise<void> {
  const { contender, port } = server;
  await contender.loopDelay?.(port);
  const before = server.process.usage();
  const result = await postImage(server, cell, seconds);
  const after = server.process.usage();
  if (result.failed > 0)
    throw new Error(
      `${contender.name}: ${result.failed} of ${result.requests + result.failed} requests failed`,
    );
  const loopMs = await contender.loopDelay?.(port);
  const measure: Measure = {
    ...result,
    cpuMs: (after.cpuMs - before.cpuMs) / result.requests,
    rss: after.rss,
    ...(loopMs === undefined ? {} : { loopMs }),
  };
  server.measured.push({ cell, measure });
}

export async function soak(server: Server, seconds: number): Promise<Soak> {
  const cell: Cell = { upload: 'raw', connections: 32 };
  await postImage(server, cell, Math.ceil(seconds * 0.1));
  const early = server.process.usage().rss;
  await postImage(server, cell, Math.ceil(seconds * 0.9));
  return { seconds, early, late: server.process.usage().rss };
}

/** @returns the images/s of decoding and inference without HTTP. */
export async function measureInProcess(target: Target, seconds: number): Promise<number> {
  const { modelsFolder, model, variant, image } = target;
  const args = [modelsFolder, model, variant, image, seconds];
  const { imagesPerSecond } = await runJson<{ imagesPerSecond: number }>(inprocessScript, args);
  return imagesPerSecond;
}

async function postImage(
  { contender, target, port }: Server,
  { upload, connections }: Cell,
  seconds: number,
): Promise<LoadResult> {
  const url = contender.url(target, port, upload);
  return await runJson<LoadResult>(loadScript, [url, upload, target.image, connections, seconds]);
}

/** Runs a script that prints a line of JSON. */
async function runJson<T>(script: string, args: readonly (string | number)[]): Promise<T> {
  const child = spawn(process.execPath, [script, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`${script} ${args.join(' ')}: exit code ${code}`);
  return JSON.parse(output) as T;
}
