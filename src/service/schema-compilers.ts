// a route's schemas → what checks its requests, and what writes its answers.
import type { FastifySchemaValidationError, FastifyServerOptions } from 'fastify';
import type { TSchema } from '#typebox';
import { Compile } from '#typebox/compile';
import { Value } from '#typebox/value';

/** Enough of a route's schema to compile it: query, headers, params or body. */
interface RoutePart {
  schema: unknown;
  httpPart?: string;
}

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>;
type ValidatorFactory = NonNullable<NonNullable<SchemaController['compilersFactory']>['buildValidator']>;

/** Given to Fastify at its creation, or it loads ajv and fast-json-stringify, whose compilation takes a third of a second of every start. */
export const schemaController: SchemaController = {
  compilersFactory: {
    // The type is ajv's own; Fastify asks no more of a compiler than it asks of setValidatorCompiler's.
    buildValidator: (() => compileValidator) as unknown as ValidatorFactory,
    // Nothing filters answers: test/contract/answers.test.ts compares them with what their schemas promise.
    buildSerializer: () => () => (answer: unknown) => JSON.stringify(answer),
  },
};

/** What comes in a URL or in headers is text: it is converted first. A body stays the stream or the bytes that it is: its schema documents it. */
function compileValidator({ schema, httpPart }: RoutePart) {
  if (httpPart === 'body') return () => true;
  const validator = Compile(schema as TSchema);
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> };
  const toConvert = Object.keys(properties).filter((name) => properties[name]?.type !== 'string');
  return (given: object) => {
    // Most requests bring none of these, and converting copies every header.
    const value = toConvert.some((name) => name in given) ? Value.Convert(schema as TSchema, given) : given;
    if (validator.Check(value)) return { value };
    return { error: validator.Errors(value) as FastifySchemaValidationError[] };
  };
}
