// TensorFlow Serving's REST interface, version 1: status, metadata and predict for the served models.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from '#typebox';
import { modelProblems } from '../../../inference/model-problems.js';
import type { StoredModel } from '../../../inference/models/repository.js';
import type { ModelStatus } from '../../../inference/models/status.js';
import type { Config } from '../../config.js';
import { cut } from '../../cut.js';
import { ProblemError } from '../../errors.js';
import { refuseAs } from '../../plugins/problems.js';
import { ModelParams, TimeoutHeaders, VersionParams } from '../../schemas/prediction.js';
import { classificationCodes, protocolErrorResponses } from '../../schemas/problem.js';
import { parseBody, patienceOf, sendBytes, type WholeBodyOptions, wholeBody } from '../body.js';
import { protocolErrors } from '../errors.js';
import { inferOutputs, shortestFloat } from '../outputs.js';
import { describeTensors, type TensorDescription } from '../tensors.js';
import { parsePredictRequest, signature } from './request.js';
import {
  ModelVersionStatuses,
  SignatureMetadata,
  TensorflowRequest,
  TensorflowResponse,
  type TensorInfo,
} from './schemas.js';

export type TensorflowServingOptions = WholeBodyOptions & Pick<Config, 'deadlineMs'>;

/** Is registered under its prefix. Every refusal below that prefix has the protocol's form. */
export const tensorflowServing: FastifyPluginAsync<TensorflowServingOptions> = async (app, options) => {
  refuseAs(app, protocolErrors);
  // The routes have a scope of their own, so that the body of a request without a route is not parsed.
  await app.register(routes, { ...options, prefix: '' });
};

const routes: FastifyPluginAsyncTypebox<TensorflowServingOptions> = async (
  app,
  { deadlineMs, ...limits },
) => {
  const { maxBatch, maxUploadBytes, room } = limits;
  await app.register(wholeBody, limits);
  for (const schema of [ModelVersionStatuses, SignatureMetadata, TensorflowRequest, TensorflowResponse])
    app.addSchema(schema);

  for (const { path, params, suffix } of places) {
    app.get(
      path,
      {
        schema: {
          ...documented(`tensorflowStatus${suffix}`, 'The versions of a model', 'ModelVersionStatuses'),
          params,
        },
      },
      async ({ params: { name, version } }: Asking) => describeStatus(name, version),
    );
    app.get(
      `${path}/metadata`,
      {
        schema: {
          ...documented(`tensorflowMetadata${suffix}`, 'The signature of a model', 'SignatureMetadata'),
          params,
        },
      },
      async ({ params: { name, version } }: Asking) => describeSignature(app.pipeline.choose(name, version)),
    );
    app.post(
      `${path}::predict`,
      { schema: { ...prediction(`tensorflowPredict${suffix}`), params } },
      (request: Asking, reply) => predict(request, reply),
    );
  }

  async function predict(request: Asking, reply: FastifyReply): Promise<FastifyReply> {
    const { name, version } = request.params;
    const model = app.pipeline.choose(name, version);
    const patience = patienceOf(request, reply, deadlineMs);
    const target = { input: model.card.input, maxBatch, maxUploadBytes };
    const { key, images } = await parseBody(request, room, patience, (body, pause) =>
      parsePredictRequest(body, target, pause),
    );
    const { probabilities = [] } = await inferOutputs(app.pipeline, model, images, patience);
    const answer = { [key]: probabilities.map((row) => Array.from(row, shortestFloat)) };
    return sendBytes(request, reply, 'application/json', Buffer.from(JSON.stringify(answer)));
  }

  function describeStatus(name: string, version: number | undefined): ModelVersionStatuses {
    const versions = app.pipeline
      .models()
      .filter((model) => model.name === name && (version === undefined || model.version === version));
    const asked = version === undefined ? cut(name) : `${cut(name)} version ${version}`;
    if (versions.length === 0)
      throw new ProblemError('model_not_found', `Could not find any versions of model ${asked}`);
    return { model_version_status: versions.map(describeVersion).reverse() };
  }
};

type Asking = FastifyRequest<{ Params: { name: string; version?: number } }>;

// Otherwise the name would include the colon and the text after it.
const name = ':name([^/:]+)';
const places = [
  { path: `/models/${name}`, params: ModelParams, suffix: '' },
  { path: `/models/${name}/versions/:version([^/:]+)`, params: VersionParams, suffix: 'OfVersion' },
];

function describeVersion({
  version,
  ready,
  code,
}: ModelStatus): ModelVersionStatuses['model_version_status'][number] {
  return {
    version: String(version),
    state: ready ? 'AVAILABLE' : 'END',
    status: {
      error_code: ready ? 'OK' : 'FAILED_PRECONDITION',
      error_message: ready || code === undefined ? '' : `${code}: ${modelProblems[code]}`,
    },
  };
}

function describeSignature({ name, version, card }: StoredModel): SignatureMetadata {
  const { input, image, outputs } = describeTensors(card);
  const answered = outputs.filter((output) => output.name === 'probabilities');
  const signatureDef = {
    inputs: describeAll([input, image]),
    outputs: describeAll(answered),
    method_name: 'tensorflow/serving/predict',
  };
  return {
    model_spec: { name, signature_name: '', version: String(version) },
    metadata: { signature_def: { signature_def: { [signature]: signatureDef } } },
  };
}

const typeNames = { FP32: 'DT_FLOAT', UINT8: 'DT_UINT8', BYTES: 'DT_STRING' } as const;

function describeAll(tensors: readonly TensorDescription[]): Record<string, TensorInfo> {
  return Object.fromEntries(
    tensors.map(({ name, datatype, shape }) => [
      name,
      {
        name,
        dtype: typeNames[datatype],
        tensor_shape: { dim: shape.map((size) => ({ size: String(size), name: '' })), unknown_rank: false },
      },
    ]),
  );
}

function documented(operationId: string, summary: string, answer: string) {
  return {
    operationId,
    tags: ['tensorflow serving'],
    summary,
    response: {
      200: Type.Ref(answer),
      ...protocolErrorResponses('bad_request', 'model_not_found', 'not_ready', 'draining'),
    },
  };
}

function prediction(operationId: string) {
  return {
    operationId,
    tags: ['tensorflow serving'],
    summary: 'Classify a batch of images or of tensors',
    description: 'Bodies may be gzip or deflate.',
    headers: TimeoutHeaders,
    body: { content: { 'application/json': { schema: Type.Ref('TensorflowRequest') } } },
    response: {
      200: Type.Ref('TensorflowResponse'),
      ...protocolErrorResponses(...classificationCodes),
    },
  };
}
