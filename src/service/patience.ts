// a request → how long its client still waits, and whether it does at all.
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Aborted when the connection closes before the answer; Fastify's request.signal fires once the body was read. */
export function signalOfClient(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** Milliseconds from now on: the server's deadline, or what the client's x-request-timeout-ms leaves since the request arrived. */
export function remainingMs(
  request: Pick<FastifyRequest, 'headers'>,
  reply: Pick<FastifyReply, 'elapsedTime'>,
  deadlineMs: number,
): number {
  const patience = Number(request.headers['x-request-timeout-ms'] ?? Infinity);
  return Math.min(deadlineMs, patience - reply.elapsedTime);
}
