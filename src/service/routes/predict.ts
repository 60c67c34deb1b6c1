// POST an image → its category, or the image that the model sees.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from '#typebox';
import { imageKinds, nameKinds } from '../../inference/image/kinds.js';
import type { VariantName } from '../../inference/models/card.js';
import type { Classification, ClassifyOptions } from '../../inference/pipeline.js';
import type { Config } from '../config.js';
import { deadlineOf, signalOfClient } from '../patience.js';
import { type UploadOptions, upload } from '../plugins/upload.js';
import {
  AnswerQuery,
  ImageBody,
  ModelParams,
  PngBody,
  Prediction,
  PredictQuery,
  TimeoutHeaders,
  VersionParams,
} from '../schemas/prediction.js';
import { classificationCodes, problemResponses } from '../schemas/problem.js';

export type PredictOptions = Pick<Config, 'maxUploadBytes' | 'deadlineMs'> & Pick<UploadOptions, 'room'>;

interface Asked {
  model?: string | undefined;
  version?: number | undefined;
  variant?: VariantName | undefined;
  top?: number | undefined;
  timings?: boolean | undefined;
}

export const predictRoutes: FastifyPluginAsyncTypebox<PredictOptions> = async (
  app,
  { deadlineMs, ...limits },
) => {
  await app.register(upload, limits);
  app.addSchema(Prediction);

  /** Reads the image, and computes the deadline from the time that is left. */
  async function withImage<Result>(
    request: FastifyRequest,
    reply: FastifyReply,
    { model, version, variant }: Asked,
    use: (bytes: Buffer, options: ClassifyOptions, uploadMs: number) => Promise<Result>,
  ): Promise<Result> {
    const signal = signalOfClient(reply);
    const image = await request.readImage();
    try {
      const uploadMs = reply.elapsedTime;
      const deadline = deadlineOf(request, reply, deadlineMs);
      return await use(image.bytes, { model, version, variant, signal, deadline }, uploadMs);
    } finally {
      image.release();
    }
  }

  function predict(request: FastifyRequest, reply: FastifyReply, asked: Asked) {
    return withImage(request, reply, asked, async (bytes, options, uploadMs) =>
      describePrediction(await app.pipeline.classify(bytes, options), uploadMs, asked),
    );
  }

  async function preview(request: FastifyRequest, reply: FastifyReply, asked: Asked) {
    const png = await withImage(request, reply, asked, (bytes, options) =>
      app.pipeline.preview(bytes, options),
    );
    return reply.type(imageKinds.png.mediaType).send(png);
  }

  app.post(
    '/predict',
    { schema: { ...prediction('predict'), querystring: PredictQuery } },
    (request, reply) => predict(request, reply, request.query),
  );
  app.post(
    '/models/:name/predict',
    { schema: { ...prediction('predictWithModel'), params: ModelParams, querystring: AnswerQuery } },
    (request, reply) => predict(request, reply, { ...request.query, model: request.params.name }),
  );
  app.post(
    '/models/:name/versions/:version/predict',
    { schema: { ...prediction('predictWithVersion'), params: VersionParams, querystring: AnswerQuery } },
    (request, reply) => {
      const { name, version } = request.params;
      return predict(request, reply, { ...request.query, model: name, version });
    },
  );
  app.post(
    '/models/:name/preview',
    { schema: { ...picture('preview'), params: ModelParams } },
    (request, reply) => preview(request, reply, { model: request.params.name }),
  );
  app.post(
    '/models/:name/versions/:version/preview',
    { schema: { ...picture('previewWithVersion'), params: VersionParams } },
    (request, reply) =>
      preview(request, reply, { model: request.params.name, version: request.params.version }),
  );
};

function describePrediction({ predictions, model, timings }: Classification, uploadMs: number, asked: Asked) {
  const [first] = predictions;
  const { top } = asked;
  return {
    category: first?.category ?? '',
    ...(top !== undefined && {
      confidence: first?.confidence ?? 0,
      predictions: predictions.slice(0, top),
      model,
    }),
    ...(asked.timings && { timings: { uploadMs, ...timings } }),
  };
}

function prediction(operationId: string) {
  return { ...documented(operationId, 'Classify an image', Type.Ref('Prediction')) };
}

function picture(operationId: string) {
  return documented(operationId, 'The image as the model sees it: decoded, centred and resized', PngBody);
}

function documented<Answer>(operationId: string, summary: string, answer: Answer) {
  return {
    operationId,
    tags: ['classification'],
    summary,
    description: `A ${nameKinds('or')}, detected from its bytes. It is the field \`file\` of a form, or the body with any other content type.`,
    body: ImageBody,
    headers: TimeoutHeaders,
    response: {
      200: answer,
      ...problemResponses('request_timeout', ...classificationCodes),
    },
  };
}
