// Requests to a server under attack → their status codes; good ones in between, and the slowest health check.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Post {
  path: string;
  body: Buffer;
  headers?: Record<string, string>;
}

const patienceMs = 90_000;

/** @returns the status code, or `lost` without a response. */
export async function post(url: string, { path, body, headers = {} }: Post): Promise<string> {
  try {
    const response = await fetch(url + path, {
      method: 'POST',
      body: new Uint8Array(body),
      headers,
      signal: AbortSignal.timeout(patienceMs),
    });
    await response.arrayBuffer();
    return String(response.status);
  } catch {
    return 'lost';
  }
}

export interface GoodRequests {
  readonly sent: number;
  /** Responses that are not the bytes of the first. */
  readonly wrong: string[];
  /** Sends each once, and compares. */
  send(): Promise<void>;
}

/** @param files samples and the path that each is posted to. A full queue is a right answer, too: it is tried again. */
export async function createGoodRequests(
  url: string,
  files: readonly [path: string, file: string][],
): Promise<GoodRequests> {
  const requests = await Promise.all(
    files.map(async ([path, file]) => ({ path, bytes: new Uint8Array(await readFile(file)) })),
  );
  const ask = async ({ path, bytes }: (typeof requests)[number]): Promise<string> => {
    for (let tries = 60; ; tries--) {
      const response = await fetch(url + path, { method: 'POST', body: bytes });
      const text = await response.text();
      if (response.status !== 429 || tries === 0) return `${response.status} ${text}`;
      await sleep(500);
    }
  };
  const expected: string[] = [];
  for (const request of requests) expected.push(await ask(request));
  const wrong: string[] = [];
  let sent = 0;
  return {
    get sent() {
      return sent;
    },
    wrong,
    async send() {
      for (const [i, request] of requests.entries()) {
        sent++;
        const answer = await ask(request).catch((error: Error) => error.message);
        if (answer !== expected[i]) wrong.push(`${request.path}: ${answer}`);
      }
    },
  };
}

export interface HealthWatch {
  worstMs: number;
  failed: number;
  stop(): void;
}

/** Asks for /health/live ten times per second. */
export function watchHealth(url: string): HealthWatch {
  let watching = true;
  const watch: HealthWatch = {
    worstMs: 0,
    failed: 0,
    stop() {
      watching = false;
    },
  };
  const run = async () => {
    while (watching) {
      const start = performance.now();
      try {
        await (await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(30_000) })).arrayBuffer();
      } catch {
        if (watching) watch.failed++;
      }
      watch.worstMs = Math.max(watch.worstMs, performance.now() - start);
      await sleep(100);
    }
  };
  void run();
  return watch;
}
