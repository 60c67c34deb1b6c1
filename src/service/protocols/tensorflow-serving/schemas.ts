// Requests and responses of TensorFlow Serving's REST interface; its JSON has 64-bit integers as text.
import { type Static, Type } from '#typebox';
import type { JsonView } from '../json/document.js';

const strict = { additionalProperties: false };

const ModelVersionStatus = Type.Object(
  {
    version: Type.String(),
    state: Type.Enum(['AVAILABLE', 'END'], { description: 'END: the version is not ready.' }),
    status: Type.Object(
      { error_code: Type.Enum(['OK', 'FAILED_PRECONDITION']), error_message: Type.String() },
      strict,
    ),
  },
  strict,
);

export const ModelVersionStatuses = Type.Object(
  { model_version_status: Type.Array(ModelVersionStatus, { description: 'The highest version first.' }) },
  { $id: 'ModelVersionStatuses', ...strict },
);
export type ModelVersionStatuses = Static<typeof ModelVersionStatuses>;

const TensorInfo = Type.Object(
  {
    name: Type.String(),
    dtype: Type.Enum(['DT_FLOAT', 'DT_UINT8', 'DT_STRING']),
    tensor_shape: Type.Object(
      {
        dim: Type.Array(
          Type.Object(
            { size: Type.String({ description: '-1 is a dynamic size.' }), name: Type.String() },
            strict,
          ),
        ),
        unknown_rank: Type.Boolean(),
      },
      strict,
    ),
  },
  strict,
);
export type TensorInfo = Static<typeof TensorInfo>;

const SignatureDef = Type.Object(
  {
    inputs: Type.Record(Type.String(), TensorInfo, { description: 'A request uses one of them.' }),
    outputs: Type.Record(Type.String(), TensorInfo),
    method_name: Type.String(),
  },
  strict,
);

export const SignatureMetadata = Type.Object(
  {
    model_spec: Type.Object(
      { name: Type.String(), signature_name: Type.String(), version: Type.String() },
      strict,
    ),
    metadata: Type.Object(
      {
        signature_def: Type.Object({ signature_def: Type.Record(Type.String(), SignatureDef) }, strict),
      },
      strict,
    ),
  },
  { $id: 'SignatureMetadata', ...strict },
);
export type SignatureMetadata = Static<typeof SignatureMetadata>;

/** request.ts checks that there is one of instances and inputs, and what it contains. */
export const TensorflowRequest = Type.Object(
  {
    signature_name: Type.Optional(Type.String({ description: 'serving_default, or absent.' })),
    instances: Type.Optional(
      Type.Array(Type.Unknown(), {
        description:
          'Row form: one entry per image. It is nested numbers, {"b64": …}, or an object with the name of the input and one of these.',
      }),
    ),
    inputs: Type.Optional(
      Type.Unknown({
        description:
          'Column form: a list of all images, or an object with the name of the input and that list.',
      }),
    ),
  },
  { $id: 'TensorflowRequest', description: 'A member that is null counts as absent.' },
);

/** The same while its tensors are views. */
export const ViewedRequest = Type.Object({
  signature_name: TensorflowRequest.properties.signature_name,
  instances: Type.Optional(Type.Unsafe<JsonView>({})),
  inputs: Type.Optional(Type.Unsafe<JsonView>({})),
});

const probabilities = Type.Optional(
  Type.Array(Type.Array(Type.Number()), { description: 'One row per image, one probability per label.' }),
);

export const TensorflowResponse = Type.Object(
  { predictions: probabilities, outputs: probabilities },
  {
    $id: 'TensorflowResponse',
    description: '`predictions` for a request with `instances`, `outputs` for one with `inputs`.',
    ...strict,
  },
);
