// What is asked of a prediction, and what it answers.
import { Type } from 'typebox';

const strict = { additionalProperties: false };

const top = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: 10_000,
    description: 'Adds confidence, model, and that many predictions, the surest first.',
  }),
);

export const TopQuery = Type.Object({ top }, strict);

export const PredictQuery = Type.Object(
  {
    top,
    model: Type.Optional(
      Type.String({ description: 'A model; else QUATI_MODEL, else the only one, else cifar10.' }),
    ),
  },
  strict,
);

export const ModelParams = Type.Object({ name: Type.String() }, strict);

export const VersionParams = Type.Object(
  { name: Type.String(), version: Type.Integer({ minimum: 1 }) },
  strict,
);

const confidence = Type.Number({ minimum: 0, maximum: 1 });

export const Prediction = Type.Object(
  {
    category: Type.String({ description: 'The label with the highest confidence.' }),
    confidence: Type.Optional(confidence),
    predictions: Type.Optional(
      Type.Array(Type.Object({ category: Type.String(), confidence }, strict), {
        description: 'The surest first.',
      }),
    ),
    model: Type.Optional(
      Type.Object({ name: Type.String(), version: Type.Integer(), variant: Type.String() }, strict),
    ),
  },
  { $id: 'Prediction', description: 'Only `category` unless `top` is given.', ...strict },
);

const binary = { type: 'string', contentMediaType: 'application/octet-stream' } as const;

/** Documentation alone: the body is read as a stream and judged by its bytes. */
export const ImageBody = {
  content: {
    'multipart/form-data': {
      schema: { type: 'object', required: ['file'], properties: { file: binary } },
    },
    'image/png': { schema: binary },
    'image/jpeg': { schema: binary },
    'image/webp': { schema: binary },
    'application/octet-stream': { schema: binary },
  },
};
