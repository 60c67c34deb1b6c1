// The parameters of a prediction, and its response.
import { Type } from '#typebox';
import { imageKinds, imageMediaTypes } from '../../inference/image/kinds.js';
import { VariantName } from '../../inference/models/card.js';
import { fallbackModel } from '../config.js';

const strict = { additionalProperties: false };

const top = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: 10_000,
    description: 'Adds confidence, model, and this number of predictions, the highest confidence first.',
  }),
);

const timings = Type.Optional(
  Type.Boolean({ description: 'Adds the times of the stages, in milliseconds.' }),
);

const variant = Type.Optional(
  Type.Enum(VariantName.enum, {
    description:
      'The variant to use; default: the served one. Another variant is loaded at its first request, which takes longer.',
  }),
);

export const AnswerQuery = Type.Object({ top, timings, variant }, strict);

export const PredictQuery = Type.Object(
  {
    top,
    timings,
    variant,
    model: Type.Optional(
      Type.String({
        description: `The model. Default: QUATI_MODEL, or the only model, or ${fallbackModel}.`,
      }),
    ),
  },
  strict,
);

export const TimeoutHeaders = Type.Object({
  'x-request-timeout-ms': Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 3_600_000,
      description:
        'The time that the client waits, from the arrival of its request. An image that has not run by then, or within QUATI_DEADLINE_MS after its upload, is dropped.',
    }),
  ),
});

export const ModelParams = Type.Object({ name: Type.String() }, strict);

export const VersionParams = Type.Object(
  { name: Type.String(), version: Type.Integer({ minimum: 1 }) },
  strict,
);

const milliseconds = Type.Number({ minimum: 0 });

const Timings = Type.Object(
  { uploadMs: milliseconds, queueMs: milliseconds, decodeMs: milliseconds, inferenceMs: milliseconds },
  {
    ...strict,
    description:
      'uploadMs: until the upload was read. queueMs: waiting for a worker. decodeMs: decoding. inferenceMs: running its batch.',
  },
);

const confidence = Type.Number({ minimum: 0, maximum: 1 });

export const Prediction = Type.Object(
  {
    category: Type.String({ description: 'The label with the highest confidence.' }),
    confidence: Type.Optional(confidence),
    predictions: Type.Optional(
      Type.Array(Type.Object({ category: Type.String(), confidence }, strict), {
        description: 'The highest confidence first.',
      }),
    ),
    model: Type.Optional(
      Type.Object({ name: Type.String(), version: Type.Integer(), variant: Type.String() }, strict),
    ),
    timings: Type.Optional(Timings),
  },
  { $id: 'Prediction', description: 'Only `category` unless `top` or `timings` is given.', ...strict },
);

const binary = { type: 'string', contentMediaType: 'application/octet-stream' } as const;

/** The response of a preview. */
export const PngBody = { content: { [imageKinds.png.mediaType]: { schema: binary } } };

/** For the documentation only: the service reads the body as a stream and judges it by its bytes. */
export const ImageBody = {
  content: {
    'multipart/form-data': {
      schema: { type: 'object', required: ['file'], properties: { file: binary } },
    },
    ...Object.fromEntries(imageMediaTypes.map((type) => [type, { schema: binary }])),
    'application/octet-stream': { schema: binary },
  },
};
