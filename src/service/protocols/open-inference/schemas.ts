// Requests and responses of Open Inference Protocol v2 over REST.
import { type Static, Type } from '#typebox';
import type { JsonView } from '../json/document.js';
import { maxIdLength } from '../limits.js';

const strict = { additionalProperties: false };

const parameters = Type.Optional(
  Type.Record(Type.String(), Type.Unknown(), { description: 'Unknown parameters are ignored.' }),
);

export const ServerMetadata = Type.Object(
  { name: Type.String(), version: Type.String(), extensions: Type.Array(Type.String()) },
  { $id: 'ServerMetadata', ...strict },
);

export const ServerLive = Type.Object({ live: Type.Literal(true) }, { $id: 'ServerLive', ...strict });
export const ServerReady = Type.Object({ ready: Type.Literal(true) }, { $id: 'ServerReady', ...strict });
export const ModelReady = Type.Object(
  { name: Type.String(), ready: Type.Literal(true) },
  { $id: 'ModelReady', ...strict },
);

const MetadataTensor = Type.Object(
  {
    name: Type.String(),
    datatype: Type.Enum(['FP32', 'UINT8', 'BYTES']),
    shape: Type.Array(Type.Integer(), { description: '-1 is a dynamic size.' }),
    parameters: Type.Optional(Type.Record(Type.String(), Type.String())),
  },
  strict,
);

export const ModelMetadata = Type.Object(
  {
    name: Type.String(),
    versions: Type.Array(Type.String(), { description: 'The versions that are ready.' }),
    platform: Type.String(),
    inputs: Type.Array(MetadataTensor, { description: 'A request uses one of them.' }),
    outputs: Type.Array(MetadataTensor),
    parameters: Type.Record(Type.String(), Type.Unknown(), {
      description: 'max_batch_size: the most images in a request. labels: in the order of the outputs.',
    }),
  },
  { $id: 'ModelMetadata', ...strict },
);
export type ModelMetadata = Static<typeof ModelMetadata>;

const RequestInput = Type.Object({
  name: Type.String(),
  shape: Type.Array(Type.Integer({ minimum: 0 })),
  datatype: Type.String(),
  parameters,
  data: Type.Optional(
    Type.Unsafe<JsonView>({
      description:
        'Numbers, flat or nested, or base64 or data: URIs for image. Absent if parameters.binary_data_size is set.',
    }),
  ),
});
export type RequestInput = Static<typeof RequestInput>;

const RequestOutput = Type.Object({ name: Type.String(), parameters });
export type RequestOutput = Static<typeof RequestOutput>;

export const InferRequest = Type.Object(
  {
    id: Type.Optional(Type.String({ maxLength: maxIdLength })),
    parameters,
    inputs: Type.Array(RequestInput),
    outputs: Type.Optional(Type.Array(RequestOutput, { description: 'Default: all outputs.' })),
  },
  { $id: 'InferRequest', description: 'An optional member that is null counts as absent.' },
);
export type InferRequest = Static<typeof InferRequest>;

const ResponseOutput = Type.Object(
  {
    name: Type.String(),
    datatype: Type.Enum(['FP32', 'BYTES']),
    shape: Type.Array(Type.Integer()),
    parameters: Type.Optional(Type.Object({ binary_data_size: Type.Integer() }, strict)),
    data: Type.Optional(Type.Array(Type.Union([Type.Number(), Type.String()]))),
  },
  strict,
);
export type ResponseOutput = Static<typeof ResponseOutput>;

export const InferResponse = Type.Object(
  {
    id: Type.Optional(Type.String()),
    model_name: Type.String(),
    model_version: Type.String(),
    outputs: Type.Array(ResponseOutput),
  },
  { $id: 'InferResponse', ...strict },
);
export type InferResponse = Static<typeof InferResponse>;
