// A way to ask and how often → a record for every request, in a closed loop (so many at once) or an open one (so many a second).
import { setTimeout as sleep } from 'node:timers/promises';

export interface LoadPlan {
  /** Requests under way at once. */
  connections: number;
  /** Requests a second, sent whether or not the ones before were answered; undefined: each connection sends when it was answered. */
  rate?: number | undefined;
  seconds: number;
  /** At the start, sent and not recorded. */
  warmUpSeconds: number;
  /** From when a request is due; one that has no connection by then is never sent. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export type Outcome = { category: string } | { code: string };

export interface LoadRecord {
  /** Which of the images, from 0 on. */
  image: number;
  /** When it was due, in milliseconds after the warm-up. */
  dueMs: number;
  /** From when it was due to its answer. In an open loop that includes what it waited for a connection. */
  latencyMs: number;
  outcome: Outcome;
}

export interface Load {
  records: LoadRecord[];
  /** From the end of the warm-up to the last answer, or to when it was stopped. */
  seconds: number;
}

/** Never rejects. `timeoutMs`: what is left of the request's time. */
export type Ask = (image: number, timeoutMs: number) => Promise<Outcome>;

const timedOut: Outcome = { code: 'timeout' };

/** @param images how many there are to take in turns. */
export async function runLoad(plan: LoadPlan, images: number, ask: Ask): Promise<Load> {
  const start = performance.now();
  const measuredFrom = start + plan.warmUpSeconds * 1000;
  const until = measuredFrom + plan.seconds * 1000;
  const records: LoadRecord[] = [];
  let sent = 0;

  async function send(due: number): Promise<void> {
    const image = sent++ % images;
    const left = due + plan.timeoutMs - performance.now();
    const outcome = left > 0 ? await ask(image, left) : timedOut;
    if (due < measuredFrom || plan.signal?.aborted) return;
    const latencyMs = performance.now() - due;
    records.push({ image, dueMs: due - measuredFrom, latencyMs, outcome });
  }

  const isOver = () => performance.now() >= until || plan.signal?.aborted === true;
  await (plan.rate === undefined
    ? runClosed(plan.connections, isOver, send)
    : runOpen({ ...plan, rate: plan.rate }, { start, until }, send));
  return { records, seconds: Math.max(0, performance.now() - measuredFrom) / 1000 };
}

type Send = (due: number) => Promise<void>;

async function runClosed(connections: number, isOver: () => boolean, send: Send): Promise<void> {
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (!isOver()) await send(performance.now());
    }),
  );
}

/**
 * Request i is due i / rate seconds after the start. A server that stands still for a second makes all those late that were due in
 * it; a loop that waits for answers would have sent none of them, and seen one slow answer.
 */
async function runOpen(
  { connections, rate, signal }: LoadPlan & { rate: number },
  { start, until }: { start: number; until: number },
  send: Send,
): Promise<void> {
  const waiting: number[] = [];
  const underWay = new Set<Promise<void>>();

  function dispatch(): void {
    while (underWay.size < connections) {
      const due = waiting.shift();
      if (due === undefined) return;
      const sending = send(due).then(() => {
        underWay.delete(sending);
        dispatch();
      });
      underWay.add(sending);
    }
  }

  for (let i = 0; !signal?.aborted; i++) {
    const due = start + (i * 1000) / rate;
    if (due >= until) break;
    const early = due - performance.now();
    if (early > 1) await sleep(early);
    waiting.push(due);
    dispatch();
    // What is due already is sent in a burst, in which answers have to be read, too.
    if (early <= 1 && i % 64 === 0) await sleep(0);
  }
  if (signal?.aborted) waiting.length = 0;
  while (underWay.size > 0) await Promise.race(underWay);
}
