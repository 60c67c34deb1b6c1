// a route's schemas → the validator of its requests and the serialiser of its responses.
import type { FastifySchemaValidationError, FastifyServerOptions } from 'fastify';
import type { TSchema } from '#typebox';
import { Compile } from '#typebox/compile';
import { Value } from '#typebox/value';

/** The part of a route's schema that is compiled: query, headers, params or body. */
interface RoutePart {
  schema: unknown;
  httpPart?: string;
}

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>;
type ValidatorFactory = NonNullable<NonNullable<SchemaController['compilersFactory']>['buildValidator']>;

/** Fastify gets both compilers at its creation. Otherwise it loads ajv and fast-json-stringify, which adds a third of a second to every start. */
export const schemaController: SchemaController = {
  compilersFactory: {
    // The type is that of ajv, but Fastify uses the compiler only as it uses one from setValidatorCompiler.
    buildValidator: (() => compileValidator) as unknown as ValidatorFactory,
    // Responses are not filtered: test/contract/answers.test.ts compares them with their schemas.
    buildSerializer: () => () => (answer: unknown) => JSON.stringify(answer),
  },
};

/** Converts the text of URLs and headers to the types of the schema. A body is not checked here; its schema is documentation. */
function compileValidator({ schema, httpPart }: RoutePart) {
  if (httpPart === 'body') return () => true;
  const validator = Compile(schema as TSchema);
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> };
  const toConvert = Object.keys(properties).filter((name) => properties[name]?.type !== 'string');
  return (given: object) => {
    // Most requests have none of these, and a conversion copies every header.
    const value = toConvert.some((name) => name in given) ? Value.Convert(schema as TSchema, given) : given;
    if (validator.Check(value)) return { value };
    return { error: validator.Errors(value) as FastifySchemaValidationError[] };
  };
}
