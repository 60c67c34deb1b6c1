// Open Inference Protocol v2 over REST for the served models, with Triton's binary tensors and classification.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from '#typebox';
import { monotonicMs } from '../../../inference/clock.js';
import { imageMediaTypes } from '../../../inference/image/kinds.js';
import type { StoredModel } from '../../../inference/models/repository.js';
import type { Config } from '../../config.js';
import { ProblemError } from '../../errors.js';
import { refuseAs } from '../../plugins/problems.js';
import { ModelParams, TimeoutHeaders, VersionParams } from '../../schemas/prediction.js';
import { classificationCodes, protocolErrorResponses } from '../../schemas/problem.js';
import { parseBody, patienceOf, sendBytes, type WholeBodyOptions, wholeBody } from '../body.js';
import { protocolErrors } from '../errors.js';
import { inferOutputs } from '../outputs.js';
import { describeTensors, type TensorDescription } from '../tensors.js';
import { parseInferRequest } from './request.js';
import { encodeInferResponse } from './response.js';
import {
  InferRequest,
  InferResponse,
  ModelMetadata,
  ModelReady,
  ServerLive,
  ServerMetadata,
  ServerReady,
} from './schemas.js';

export type OpenInferenceOptions = WholeBodyOptions & Pick<Config, 'deadlineMs'> & { serverVersion: string };

/** Is registered under its prefix. Every refusal below that prefix has the protocol's form. */
export const openInference: FastifyPluginAsync<OpenInferenceOptions> = async (app, options) => {
  refuseAs(app, protocolErrors);
  // The routes have a scope of their own, so that the body of a request without a route is not parsed.
  await app.register(routes, { ...options, prefix: '' });
};

const routes: FastifyPluginAsyncTypebox<OpenInferenceOptions> = async (
  app,
  { serverVersion, deadlineMs, ...limits },
) => {
  const { maxBatch, maxUploadBytes, room } = limits;
  await app.register(wholeBody, limits);
  for (const schema of [ServerMetadata, ServerLive, ServerReady, ModelReady, ModelMetadata])
    app.addSchema(schema);
  for (const schema of [InferRequest, InferResponse]) app.addSchema(schema);
  addServerRoutes(app, serverVersion);

  for (const { path, params, suffix } of places) {
    app.get(
      path,
      {
        schema: {
          ...ofModel(`modelMetadata${suffix}`, 'Inputs and outputs of a model', 'ModelMetadata'),
          params,
        },
      },
      async ({ params: { name, version } }: Asking) => describeModel(app.pipeline.choose(name, version)),
    );
    app.get(
      `${path}/ready`,
      { schema: { ...ofModel(`modelReady${suffix}`, 'Whether a model is ready', 'ModelReady'), params } },
      async ({ params: { name, version } }: Asking) => ({
        name: app.pipeline.choose(name, version).name,
        ready: true as const,
      }),
    );
    app.post(
      `${path}/infer`,
      { schema: { ...inference(`infer${suffix}`), params } },
      (request: Asking, reply) => infer(request, reply),
    );
  }

  async function infer(request: Asking, reply: FastifyReply): Promise<FastifyReply> {
    const { name, version } = request.params;
    const model = app.pipeline.choose(name, version);
    const header = request.headers['inference-header-content-length'];
    const length = header === undefined ? undefined : String(header);
    const patience = patienceOf(request, reply, deadlineMs);
    const { input } = model.card;
    const target = { tensors: describeTensors(model.card), input, maxBatch, maxUploadBytes };
    const asked = await parseBody(request, room, patience, (body, pause) =>
      parseInferRequest(body, length, target, pause),
    );
    const deadline = Math.min(patience.deadline, monotonicMs() + asked.timeoutMs);
    const rows = await inferOutputs(app.pipeline, model, asked.images, { ...patience, deadline });
    const { body, jsonBytes } = encodeInferResponse(asked, model, rows);
    if (jsonBytes === undefined) return sendBytes(request, reply, 'application/json', body);
    reply.header('inference-header-content-length', jsonBytes);
    return sendBytes(request, reply, 'application/octet-stream', body);
  }

  function describeModel({ name, card }: StoredModel): ModelMetadata {
    const { input, image, outputs } = describeTensors(card);
    const models = app.pipeline.models().filter((model) => model.name === name && model.ready);
    const instead = ({ name }: TensorDescription) => ({ instead_of: name });
    return {
      name,
      versions: models.map(({ version }) => String(version)),
      platform: 'onnxruntime_onnx',
      inputs: [
        { ...input, parameters: { ...instead(image) } },
        {
          ...image,
          parameters: {
            ...instead(input),
            content_type: imageMediaTypes.join(', '),
            json_encoding: 'base64',
          },
        },
      ],
      outputs,
      parameters: { max_batch_size: maxBatch, labels: card.labels },
    };
  }
};

function addServerRoutes(app: Parameters<FastifyPluginAsyncTypebox>[0], serverVersion: string): void {
  app.get(
    '',
    { schema: documented('serverMetadata', 'The server and its extensions', 'ServerMetadata') },
    async () => ({
      name: 'quati',
      version: serverVersion,
      extensions: ['binary_tensor_data', 'classification'],
    }),
  );
  app.get(
    '/health/live',
    {
      config: { open: true, uncounted: true },
      schema: documented('serverLive', 'Whether the process responds', 'ServerLive'),
    },
    async () => ({ live: true as const }),
  );
  app.get(
    '/health/ready',
    {
      config: { open: true, uncounted: true },
      schema: documented('serverReady', 'Whether every model is ready', 'ServerReady', 'not_ready'),
    },
    async () => {
      if (!app.pipeline.ready())
        throw new ProblemError('not_ready', 'Not every model is ready: GET /health/ready says why');
      return { ready: true as const };
    },
  );
}

type Asking = FastifyRequest<{ Params: { name: string; version?: number } }>;

const places = [
  { path: '/models/:name', params: ModelParams, suffix: '' },
  { path: '/models/:name/versions/:version', params: VersionParams, suffix: 'OfVersion' },
];

function documented(operationId: string, summary: string, answer: string, ...codes: 'not_ready'[]) {
  return {
    operationId,
    tags: ['open inference'],
    summary,
    response: { 200: Type.Ref(answer), ...protocolErrorResponses(...codes, 'draining') },
  };
}

function ofModel(operationId: string, summary: string, answer: string) {
  return {
    ...documented(operationId, summary, answer),
    response: {
      200: Type.Ref(answer),
      ...protocolErrorResponses('bad_request', 'model_not_found', 'not_ready', 'draining'),
    },
  };
}

function inference(operationId: string) {
  const octets = { schema: { type: 'string', contentMediaType: 'application/octet-stream' } };
  return {
    operationId,
    tags: ['open inference'],
    summary: 'Classify a batch of images or of tensors',
    description:
      'The body is JSON, or JSON followed by binary tensors. In the second case Inference-Header-Content-Length is the length of the JSON; if it is 0, the body is one image. Bodies may use gzip or deflate.',
    headers: Type.Object({
      ...TimeoutHeaders.properties,
      'inference-header-content-length': Type.Optional(Type.String({ description: 'Bytes of JSON.' })),
    }),
    body: {
      content: {
        'application/json': { schema: Type.Ref('InferRequest') },
        'application/octet-stream': octets,
      },
    },
    response: {
      200: {
        description: 'The outputs.',
        content: {
          'application/json': { schema: Type.Ref('InferResponse') },
          'application/octet-stream': octets,
        },
      },
      ...protocolErrorResponses(...classificationCodes),
    },
  };
}
