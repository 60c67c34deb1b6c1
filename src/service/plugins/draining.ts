// app.close() → nothing more is listened to; what comes on open connections is answered once more, until they are quiet.
import { Server as NetServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { DrainingError } from '../../inference/errors.js';

declare module 'fastify' {
  interface FastifyInstance {
    isDraining(): boolean;
  }
}

export interface DrainingOptions {
  /** How long connections that stay busy are served. */
  drainTimeoutMs: number;
}

const quietMs = 250;
const lookEveryMs = 25;

/**
 * Closing a connection that seems idle loses the request that is on its way over it. Here every answer ends its connection first
 * (Fastify says `connection: close` while it closes), and only those that stay silent are cut.
 */
export const draining = fp(
  async (app: FastifyInstance, { drainTimeoutMs }: DrainingOptions) => {
    let state: 'open' | 'draining' | 'closed' = 'open';
    let underWay = 0;
    let lastChange = 0;
    app.decorate('isDraining', () => state !== 'open');
    app.addHook('onRequest', async (_request, reply) => {
      underWay++;
      // Unlike onResponse it comes for every request, whatever became of its connection.
      reply.raw.once('close', () => {
        underWay--;
        lastChange = performance.now();
      });
      if (state === 'closed')
        throw new DrainingError('The server is shutting down and takes no more requests');
    });
    app.addHook('preClose', async () => {
      state = 'draining';
      lastChange = performance.now();
      const until = lastChange + drainTimeoutMs;
      if (app.server.listening) {
        // http's own close cuts idle connections at once.
        NetServer.prototype.close.call(app.server);
        while (performance.now() < until && (await countConnections(app)) > 0) {
          if (underWay === 0 && performance.now() - lastChange > quietMs) break;
          await sleep(lookEveryMs);
        }
      }
      state = 'closed';
    });
  },
  { name: 'draining', dependencies: ['problems', 'request-id'] },
);

function countConnections(app: FastifyInstance): Promise<number> {
  return new Promise((resolve) => app.server.getConnections((_error, count) => resolve(count)));
}
