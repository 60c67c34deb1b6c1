// GET → the models, which versions and variants serve, and why.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '#typebox';
import { Card } from '../../inference/models/card.js';
import type { ModelStatus } from '../../inference/models/status.js';
import { cut } from '../cut.js';
import { ProblemError } from '../errors.js';
import { ModelDetail, ModelList, ModelSummary, type Version } from '../schemas/model.js';
import { ModelParams } from '../schemas/prediction.js';
import { problemResponses } from '../schemas/problem.js';

export const modelRoutes: FastifyPluginAsyncTypebox = async (app) => {
  for (const schema of [Card, ModelSummary, ModelList, ModelDetail]) app.addSchema(schema);

  app.get(
    '/models',
    {
      schema: {
        operationId: 'listModels',
        tags: ['models'],
        summary: 'All models',
        response: { 200: Type.Ref('ModelList'), ...problemResponses('draining') },
      },
    },
    async () => {
      const served = app.pipeline.models().filter((model) => model.served);
      const implied = served.find(({ name }) => name === app.pipeline.impliedModel());
      return { models: served.map(summarise), ...(implied && { default: implied.name }) };
    },
  );

  app.get(
    '/models/:name',
    {
      schema: {
        operationId: 'getModel',
        tags: ['models'],
        summary: 'One model with the cards of its versions',
        params: ModelParams,
        response: { 200: Type.Ref('ModelDetail'), ...problemResponses('model_not_found', 'draining') },
      },
    },
    async ({ params: { name } }) => {
      const versions = statusesOf(name);
      const served = versions.find((version) => version.served);
      if (!served) throw new ProblemError('model_not_found', `There is no model ${cut(name)}`);
      return describeModel(served, versions.map(describeVersion));
    },
  );

  function statusesOf(name: string): ModelStatus[] {
    return app.pipeline.models().filter((model) => model.name === name);
  }

  function summarise(served: ModelStatus) {
    const statuses = statusesOf(served.name);
    const problems = statuses.flatMap(({ version, code }) =>
      code === undefined ? [] : [{ version, problem: code }],
    );
    const versions = statuses.map(({ version }) => version);
    return { ...describeModel(served, versions), ...(problems.length > 0 && { problems }) };
  }
};

function describeModel<Versions>(model: ModelStatus, versions: Versions) {
  const { name, version, card } = model;
  const title = card === undefined ? {} : { title: card.title };
  return { name, ...title, labels: card?.labels ?? [], version, ...describeState(model), versions };
}

function describeVersion(model: ModelStatus): Version {
  const card = model.card === undefined ? {} : { card: model.card };
  return { version: model.version, ...describeState(model), ...card };
}

function describeState({ ready, code, variant, variantReason, variantTrouble = '', figures }: ModelStatus) {
  return {
    ready,
    ...(code === undefined ? {} : { [ready ? 'refused' : 'problem']: code }),
    ...(variant === undefined ? {} : { variant }),
    ...(variantReason === undefined ? {} : { variantReason: variantReason.replace(variantTrouble, '') }),
    ...(figures === undefined ? {} : { figures }),
  };
}
