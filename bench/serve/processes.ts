// A server's command → its ready process, and the memory and processor time of it and its children, from /proc (Linux).
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServerCommand {
  command: string;
  args: readonly string[];
  /** Added to the environment of this process. */
  env?: Record<string, string>;
  cwd?: string;
  /** A URL with a success status once the server is ready. */
  ready: string;
  /** Default 120,000. */
  startTimeoutMs?: number;
}

interface Usage {
  /** The resident bytes. */
  rss: number;
  /** The processor time so far. */
  cpuMs: number;
}

export interface RunningServer {
  /** The time from its start to its first success status. */
  readyMs: number;
  /** Usage of the process and all its descendants; zeros after its end. */
  usage(): Usage;
  stop(): Promise<void>;
}

const ticksPerSecond = 100;
/** A benchmark that is stopped also stops its servers. */
const running = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void Promise.all([...running].map(stop)).finally(() => process.exit(1));
  });

/** @throws Error with the end of its standard error when it exits, or is not ready in time. */
export async function startServer(server: ServerCommand): Promise<RunningServer> {
  const { command, args, env, cwd, ready, startTimeoutMs = 120_000 } = server;
  const start = performance.now();
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let errors = '';
  child.once('error', (error) => {
    errors = error.message;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors = `${errors}${chunk}`.slice(-4000);
  });
  while (!(await answers(ready))) {
    if (hasEnded(child)) throw new Error(`${command} ${args.join(' ')} exited: ${errors}`);
    if (performance.now() - start > startTimeoutMs) {
      await stop(child);
      throw new Error(`${command}: not ready within ${startTimeoutMs} ms: ${errors}`);
    }
    await sleep(10);
  }
  return {
    readyMs: performance.now() - start,
    usage: () => usageOf(child.pid),
    stop: () => stop(child),
  };
}

function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}

async function answers(url: string): Promise<boolean> {
  return await fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Some servers leave their children running, or exit only when these are killed. */
async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const [, ...children] = familyOf(child.pid);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(late);
  for (const pid of children) if (statOf(pid)?.parent === 1) process.kill(pid, 'SIGKILL');
}

/** Returns a process, then all its descendants. */
function familyOf(root: number | undefined): number[] {
  if (root === undefined) return [];
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = statOf(Number(name))?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const all = [root];
  for (const pid of all) all.push(...(children.get(pid) ?? []));
  return all;
}

function usageOf(root: number | undefined): Usage {
  const uses = familyOf(root).map((pid) => ({ rss: rssOf(pid), cpuMs: statOf(pid)?.cpuMs ?? 0 }));
  return {
    rss: uses.reduce((sum, { rss }) => sum + rss, 0),
    cpuMs: uses.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
  };
}

function statOf(pid: number): { parent: number; cpuMs: number } | undefined {
  const text = readText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The name is in parentheses and may hold any text.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    parent: Number(fields[1]),
    cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond,
  };
}

function rssOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
