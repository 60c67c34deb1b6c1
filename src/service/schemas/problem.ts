// The shape of every error (RFC 9457), and which errors an operation's documentation lists.
import { type Static, Type } from 'typebox';
import { catalogue, type ProblemCode } from '../errors.js';

const codes = Object.keys(catalogue) as ProblemCode[];

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'urn:quati:problem: and the code.' }),
    title: Type.String({ description: 'The same for every problem of this code.' }),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong with this request.' }),
    code: Type.Enum(codes),
    requestId: Type.String({ description: 'Also the header x-request-id, and in the log.' }),
  },
  { $id: 'Problem', additionalProperties: false },
);
export type Problem = Static<typeof Problem>;

/** The response schemas of an operation that may fail with these codes. */
export function problemResponses(...possible: ProblemCode[]) {
  const all = [...possible, 'internal' as const];
  const statuses = [...new Set(all.map((code) => catalogue[code].status))];
  const describe = (status: number) =>
    all.flatMap((code) =>
      catalogue[code].status === status ? [`\`${code}\`: ${catalogue[code].title}.`] : [],
    );
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: describe(status).join(' '),
        content: { 'application/problem+json': { schema: Type.Ref('Problem') } },
      },
    ]),
  );
}
