// The shape of every error (RFC 9457), and which errors an operation's documentation lists.
import { type Static, type TSchema, Type } from '#typebox';
import { type ModelProblem, modelProblems } from '../../inference/model-problems.js';
import { catalogue, type Problem as ProblemBody, type ProblemCode } from '../errors.js';

const codes = Object.keys(catalogue) as ProblemCode[];

/** The schema itself if its type equals the shape; otherwise a type that nothing fits. */
type Describing<Shape, Schema extends TSchema> =
  Static<Schema> extends Shape ? (Shape extends Static<Schema> ? Schema : never) : never;

const members = {
  type: Type.String({ description: 'urn:quati:problem: followed by the code.' }),
  title: Type.String({ description: 'The same text for every problem with this code.' }),
  status: Type.Integer(),
  detail: Type.String({ description: 'What is wrong with this request.' }),
  code: Type.Enum(codes),
  requestId: Type.String({ description: 'The same as in the header x-request-id and in the log.' }),
};

const problem = Type.Object(members, { $id: 'Problem', additionalProperties: false });
export const Problem: Describing<ProblemBody, typeof problem> = problem;

const problemCodes = Object.keys(modelProblems) as ModelProblem[];

/** Why a version is not served. */
export const ModelProblemCode = Type.Enum(problemCodes, {
  $id: 'ModelProblem',
  description: `Why the content of a version's folder is not served. The log has the details. ${problemCodes
    .map((code) => `\`${code}\`: ${modelProblems[code]}.`)
    .join(' ')}`,
});

/** The same problem, with the versions that keep the server from being ready. */
export const NotReady = Type.Object(
  {
    ...members,
    models: Type.Optional(
      Type.Array(
        Type.Object(
          { name: Type.String(), version: Type.Integer(), problem: Type.Ref('ModelProblem') },
          { additionalProperties: false },
        ),
        {
          description: 'The versions that should be served and are not ready; empty if there are no models.',
        },
      ),
    ),
  },
  { $id: 'NotReady', additionalProperties: false },
);

/** The problems that an image can have after it has arrived. */
export const classificationCodes = [
  'bad_request',
  'model_not_found',
  'too_many_bytes',
  'too_many_pixels',
  'too_complex',
  'unsupported_type',
  'undecodable_image',
  'no_ink',
  'queue_full',
  'not_ready',
  'draining',
  'deadline_exceeded',
] as const satisfies ProblemCode[];

/** The error body of the protocols of other servers. */
export const ProtocolError = Type.Object(
  { error: Type.String({ description: 'What is wrong with this request.' }) },
  { $id: 'ProtocolError', additionalProperties: false },
);

/** The response schemas of an operation that may fail with these codes. */
export function problemResponses(...possible: ProblemCode[]) {
  return errorResponses(possible, { 'application/problem+json': { schema: Type.Ref('Problem') } });
}

/** The same for an operation whose protocol has its own error body. */
export function protocolErrorResponses(...possible: ProblemCode[]) {
  return errorResponses(possible, { 'application/json': { schema: Type.Ref('ProtocolError') } });
}

function errorResponses(possible: readonly ProblemCode[], content: object) {
  const all = [...possible, 'internal' as const];
  const statuses = [...new Set(all.map((code) => catalogue[code].status))];
  const describe = (status: number) =>
    all.flatMap((code) =>
      catalogue[code].status === status ? [`\`${code}\`: ${catalogue[code].title}.`] : [],
    );
  return Object.fromEntries(
    statuses.map((status) => [status, { description: describe(status).join(' '), content }]),
  );
}
