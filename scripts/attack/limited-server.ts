// A limit of memory and some settings → `quati serve` in a control group of its own; how much memory it takes, and whether it lives.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createControlGroups } from '../control-groups.js';
import { UnavailableError } from '../run.js';

export interface LimitedServer {
  url: string;
  /** False where no control group counts memory: then the process sees no limit, and its memory is only compared with it. */
  isLimited: boolean;
  isAlive(): boolean;
  /** Resident now. */
  residentMb(): number;
  /** The most resident since the last call. */
  takePeakMb(): number;
  /** Workers that ended and were replaced. */
  countRestarts(): Promise<number>;
  stop(): Promise<void>;
}

export interface LimitedServerOptions {
  memoryMb: number;
  port: number;
  env: Record<string, string>;
}

const readyMs = 60_000;

/** @throws Error with the server's output if it is not ready within a minute, or if another server has the port. */
export async function startLimitedServer({
  memoryMb,
  port,
  env,
}: LimitedServerOptions): Promise<LimitedServer> {
  const url = `http://127.0.0.1:${port}`;
  if (await isReady(url)) throw new Error(`Another server answers at ${url}: end it first`);
  const group = limitMemory(memoryMb);
  // The shell enters the group before it becomes the server.
  const enter = group.tasks.map((file) => `echo $$ > ${file} && `).join('');
  const server = spawn('sh', ['-c', `${enter}exec "$0" dist/cli/main.js serve`, process.execPath], {
    env: { PATH: process.env.PATH, QUATI_HOST: '127.0.0.1', QUATI_PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithThisProcess(server);
  let printed = '';
  for (const stream of [server.stdout, server.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      printed = (printed + chunk).slice(-10_000);
    });
  const isAlive = () => server.exitCode === null && server.signalCode === null;
  for (const end = performance.now() + readyMs; !(await isReady(url)); await sleep(100))
    if (!isAlive() || performance.now() > end) throw new Error(`The server is not ready: ${printed}`);
  return {
    url,
    isLimited: group.isLimited,
    isAlive,
    residentMb: () => statusMb(server, 'VmRSS'),
    takePeakMb() {
      const peak = statusMb(server, 'VmHWM');
      // proc(5): 5 resets the peak.
      if (isAlive()) writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
      return peak;
    },
    async countRestarts() {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      return Number(/^quati_worker_restarts_total (\d+)/m.exec(metrics)?.[1]);
    },
    async stop() {
      if (isAlive()) {
        const ended = once(server, 'exit');
        server.kill('SIGTERM');
        await ended;
      }
      await group.remove();
    },
  };
}

function endWithThisProcess(server: ChildProcess): void {
  process.once('exit', () => server.kill('SIGKILL'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
}

function limitMemory(memoryMb: number) {
  try {
    const groups = createControlGroups(`quati-attack-${process.pid}`);
    const limits = groups.tasks.flatMap((tasks) =>
      ['memory.max', 'memory.limit_in_bytes'].map((name) => path.join(path.dirname(tasks), name)),
    );
    const limit = limits.find((file) => existsSync(file));
    if (limit !== undefined) writeFileSync(limit, String(memoryMb * 2 ** 20));
    return { tasks: groups.tasks, isLimited: limit !== undefined, remove: groups.remove };
  } catch (error) {
    if (!(error instanceof UnavailableError) && !isForbidden(error)) throw error;
    return { tasks: [], isLimited: false, remove: async () => {} };
  }
}

function isForbidden(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer?.ok === true;
}

/** @returns NaN once the process has ended. */
function statusMb({ pid }: ChildProcess, field: 'VmRSS' | 'VmHWM'): number {
  try {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(
      readFileSync(`/proc/${pid}/status`, 'utf8'),
    );
    return Number(found?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}
