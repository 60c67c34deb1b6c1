// POST an image → its category.
import { type FastifyPluginAsyncTypebox, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Classification } from '../../inference/pipeline.js';
import type { Config } from '../config.js';
import { upload } from '../plugins/upload.js';
import {
  ImageBody,
  ModelParams,
  Prediction,
  PredictQuery,
  TopQuery,
  VersionParams,
} from '../schemas/prediction.js';
import { problemResponses } from '../schemas/problem.js';

export type PredictOptions = Pick<Config, 'maxUploadBytes' | 'deadlineMs'>;

interface Asked {
  model?: string | undefined;
  version?: number | undefined;
  top?: number | undefined;
}

export const predictRoutes: FastifyPluginAsyncTypebox<PredictOptions> = async (app, options) => {
  await app.register(upload, options);
  app.addSchema(Prediction);
  // A body is a stream here, no value: ImageBody documents it, readImage checks it.
  app.setValidatorCompiler((route) =>
    route.httpPart === 'body' ? () => true : TypeBoxValidatorCompiler(route),
  );

  async function predict(request: FastifyRequest, reply: FastifyReply, { top, ...asked }: Asked) {
    const signal = signalOfClient(reply);
    const bytes = await request.readImage();
    const { deadlineMs } = options;
    const classified = await app.pipeline.classify(bytes, { ...asked, deadlineMs, signal });
    return describePrediction(classified, top);
  }

  app.post(
    '/predict',
    { schema: { ...documented('predict'), querystring: PredictQuery } },
    (request, reply) => predict(request, reply, request.query),
  );
  app.post(
    '/models/:name/predict',
    { schema: { ...documented('predictWithModel'), params: ModelParams, querystring: TopQuery } },
    (request, reply) => predict(request, reply, { ...request.query, model: request.params.name }),
  );
  app.post(
    '/models/:name/versions/:version/predict',
    { schema: { ...documented('predictWithVersion'), params: VersionParams, querystring: TopQuery } },
    (request, reply) => {
      const { name, version } = request.params;
      return predict(request, reply, { ...request.query, model: name, version });
    },
  );
};

/** Aborted when the connection closes before the answer; Fastify's request.signal fires once the body was read. */
function signalOfClient(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

function describePrediction({ predictions, model }: Classification, top: number | undefined) {
  const [first] = predictions;
  const category = first?.category ?? '';
  if (top === undefined) return { category };
  return { category, confidence: first?.confidence ?? 0, predictions: predictions.slice(0, top), model };
}

function documented(operationId: string) {
  return {
    operationId,
    tags: ['classification'],
    summary: 'Classify an image',
    description:
      'PNG, JPEG or WebP, judged by its bytes: as the field `file` of a form, or as the body with any other content type.',
    body: ImageBody,
    response: {
      200: Type.Ref('Prediction'),
      ...problemResponses(
        'bad_request',
        'model_not_found',
        'request_timeout',
        'too_many_bytes',
        'too_many_pixels',
        'unsupported_type',
        'undecodable_image',
        'queue_full',
        'not_ready',
        'draining',
        'deadline_exceeded',
      ),
    },
  };
}
