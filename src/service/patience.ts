// a request → its deadline, and a signal that its client has gone.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { monotonicMs } from '../inference/clock.js';

/** Is aborted when the connection closes before the response. Fastify's request.signal fires as soon as the body was read. */
export function signalOfClient(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/**
 * Returns the deadline of the response on the clock of clock.ts: `deadlineMs` from now, when the upload has been read, or the client's
 * x-request-timeout-ms from the arrival of the request, if that is earlier.
 */
export function deadlineOf(
  request: Pick<FastifyRequest, 'headers'>,
  reply: Pick<FastifyReply, 'elapsedTime'>,
  deadlineMs: number,
): number {
  const patience = Number(request.headers['x-request-timeout-ms'] ?? Infinity);
  return monotonicMs() + Math.min(deadlineMs, patience - reply.elapsedTime);
}
