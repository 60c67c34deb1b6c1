// The responses of liveness and readiness.
import { Type } from '#typebox';

const strict = { additionalProperties: false };

export const Live = Type.Object(
  { status: Type.Literal('live') },
  { $id: 'Live', description: 'The process responds.', ...strict },
);

export const Ready = Type.Object(
  {
    status: Type.Literal('ready'),
    models: Type.Array(Type.Object({ name: Type.String(), version: Type.Integer() }, strict)),
  },
  { $id: 'Ready', description: 'The models that are ready.', ...strict },
);
