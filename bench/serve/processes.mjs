// a server's command → its process, once it answers, and what that and its children use, from /proc (Linux).
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const ticksPerSecond = 100;
/** A benchmark that is stopped takes its servers with it. */
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    await Promise.all([...running].map(stop));
    process.exit(1);
  });

/** @returns the server, with the milliseconds from its start to its first good answer at `ready`. */
export async function startServer({ command, args, env, ready, cwd, startTimeoutMs = 120_000 }) {
  const start = performance.now();
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors = (errors + chunk).slice(-4000);
  });
  while (!(await answers(ready))) {
    if (child.exitCode !== null) throw new Error(`${command} ${args.join(' ')} ended: ${errors}`);
    if (performance.now() - start > startTimeoutMs) {
      await stop(child);
      throw new Error(`${command}: not ready within ${startTimeoutMs} ms: ${errors}`);
    }
    await sleep(10);
  }
  return { readyMs: performance.now() - start, usage: () => usageOf(child.pid), stop: () => stop(child) };
}

async function answers(url) {
  return await fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Some servers leave their own children behind, or end only when these are killed. */
async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const family = familyOf(child.pid);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(late);
  for (const pid of family.slice(1)) if (statOf(pid)?.parent === 1) process.kill(pid, 'SIGKILL');
}

/** A process and all below it. */
function familyOf(root) {
  const children = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const fields = statOf(pid);
    if (fields) children.set(fields.parent, [...(children.get(fields.parent) ?? []), Number(pid)]);
  }
  const all = [root];
  for (const pid of all) all.push(...(children.get(pid) ?? []));
  return all;
}

/** Of a process and all below it: bytes resident, milliseconds of processor time so far. */
function usageOf(root) {
  const uses = familyOf(root).map((pid) => ({ rss: rssOf(pid), cpuMs: statOf(pid)?.cpuMs ?? 0 }));
  return {
    rss: uses.reduce((sum, { rss }) => sum + rss, 0),
    cpuMs: uses.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
  };
}

function statOf(pid) {
  const text = readText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The name is in parentheses and may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    parent: Number(fields[1]),
    cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond,
  };
}

function rssOf(pid) {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
