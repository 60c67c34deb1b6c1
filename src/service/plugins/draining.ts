// app.close() → new requests on open connections are told to go elsewhere, while those under way are answered.
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { DrainingError } from '../../inference/errors.js';

export const draining = fp(
  async (app: FastifyInstance) => {
    let closing = false;
    app.addHook('preClose', async () => {
      closing = true;
    });
    app.addHook('onRequest', async () => {
      if (!closing) return;
      throw new DrainingError('The server is shutting down and takes no more requests');
    });
    // A connection that stays open would keep the server from closing.
    app.addHook('onSend', async (_request, reply) => {
      if (closing) reply.header('connection', 'close');
    });
  },
  { name: 'draining', dependencies: ['problems', 'request-id'] },
);
