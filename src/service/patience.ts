// a request → until when its client waits, and whether it still does.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { monotonicMs } from '../inference/clock.js';

/** Aborted when the connection closes before the answer; Fastify's request.signal fires once the body was read. */
export function signalOfClient(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/**
 * When the answer has to be there at the latest, on the clock of clock.ts: `deadlineMs` after the upload has been read, which is now,
 * or as long after the request's arrival as the client says in x-request-timeout-ms.
 */
export function deadlineOf(
  request: Pick<FastifyRequest, 'headers'>,
  reply: Pick<FastifyReply, 'elapsedTime'>,
  deadlineMs: number,
): number {
  const patience = Number(request.headers['x-request-timeout-ms'] ?? Infinity);
  return monotonicMs() + Math.min(deadlineMs, patience - reply.elapsedTime);
}
