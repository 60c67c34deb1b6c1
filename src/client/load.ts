// A send function and a load → a record per request, in a closed loop (fixed connections) or an open one (fixed rate).
import { setTimeout as sleep } from 'node:timers/promises';

export interface LoadPlan {
  /** The largest number of requests in progress. */
  connections: number;
  /** Requests per second, sent without waiting for responses; undefined: each connection waits for its response. */
  rate?: number | undefined;
  seconds: number;
  /** The time at the start in which requests are sent but not recorded. */
  warmUpSeconds: number;
  /** Counted from when a request is due. A request that has no connection by then is never sent. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export type Outcome = { category: string } | { code: string };

export interface LoadRecord {
  /** The index of the image, from 0. */
  image: number;
  /** When the request was due, in milliseconds after the warm-up. */
  dueMs: number;
  /** The time from when the request was due to its response. In an open loop it includes the wait for a connection. */
  latencyMs: number;
  outcome: Outcome;
}

export interface Load {
  records: LoadRecord[];
  /** The time from the end of the warm-up to the last response, or to the stop. */
  seconds: number;
}

/** Never rejects. `timeoutMs` is the time that remains for the request. */
export type Ask = (image: number, timeoutMs: number) => Promise<Outcome>;

const timedOut: Outcome = { code: 'timeout' };

/** @param images the number of images to send in turn. */
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
 * Request i is due i / rate seconds after the start. If a server stops for a second, every request due in that second
 * is late. A closed loop would send none of them, and would record one slow response.
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
    // Requests that are already due go out in a burst. Responses must be read during the burst, too.
    if (early <= 1 && i % 64 === 0) await sleep(0);
  }
  if (signal?.aborted) waiting.length = 0;
  while (underWay.size > 0) await Promise.race(underWay);
}
