// the version in a path → a refusal where no version can have that number; the routes get the others as integers.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { cut } from '../cut.js';
import { ProblemError } from '../errors.js';

export const versions = fp(
  async (app: FastifyInstance) => {
    app.addHook('onRequest', async ({ params }: FastifyRequest) => {
      const { name = '', version } = (params ?? {}) as { name?: string; version?: string };
      if (version !== undefined) checkVersion(name, version);
    });
  },
  { name: 'versions', dependencies: ['access'] },
);

/** An integer that JavaScript cannot hold exactly would be rounded to another version. */
function checkVersion(name: string, version: string): void {
  if (!/^[1-9]\d*$/.test(version))
    throw new ProblemError('bad_request', `params /version must be an integer from 1, got ${cut(version)}`);
  if (!Number.isSafeInteger(Number(version)))
    throw new ProblemError('model_not_found', `Model ${cut(name)} has no version ${cut(version)}`);
}
