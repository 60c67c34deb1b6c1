// app.close() → no new connections; each open connection gets its last response and then ends.
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
  /** The time that busy connections are still served. */
  drainTimeoutMs: number;
}

const quietMs = 250;
const lookEveryMs = 25;

/**
 * Closing a connection that seems idle would lose a request that is already on its way. So every response ends its connection first
 * (Fastify sends `connection: close` while it closes), and only silent connections are cut.
 */
export const draining = fp(
  async (app: FastifyInstance, { drainTimeoutMs }: DrainingOptions) => {
    let state: 'open' | 'draining' | 'closed' = 'open';
    let underWay = 0;
    let lastChange = 0;
    app.decorate('isDraining', () => state !== 'open');
    app.addHook('onRequest', async (_request, reply) => {
      underWay++;
      // Unlike onResponse, this event comes for every request, even if its connection broke.
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
        // The close of node:http cuts idle connections at once.
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
