// A value of a recipe → its TypeBox schema: type, range and default, and the words that errors, help and docs say about it.
import {
  type Static,
  type TArray,
  type TBoolean,
  type TEnum,
  type TInteger,
  type TLiteral,
  type TNumber,
  type TObject,
  type TProperties,
  type TSchema,
  Type,
} from '#typebox';

export interface ValueNotes {
  /** Says what the value does. A help and a table show it, so it starts with a small letter and has no full stop. */
  readonly description: string;
  /** The value that training uses if the recipe leaves it out. */
  readonly default?: unknown;
  /** Stands for the value in the help of its flag, as `epochs` in `--patience <epochs>`. Left out, the type decides. */
  readonly argument?: string;
}

/** The schema of one value: not of an object that holds values. */
export type ValueSchema = TSchema &
  ValueNotes & {
    /** Completes "expected …" in an error, and the column "takes" of a table. */
    readonly expected: string;
    /** Says what happens if a switch is off. */
    readonly off?: string;
  };

export type Values = Readonly<Record<string, ValueSchema>>;

type Noted<S extends TSchema, N> = S & N & { readonly expected: string };

export function positiveInteger<const N extends ValueNotes>(notes: N): Noted<TInteger, N> {
  return noted(Type.Integer({ minimum: 1 }), 'a positive integer', notes);
}

export function anyInteger<const N extends ValueNotes>(notes: N): Noted<TInteger, N> {
  return noted(Type.Integer(), 'an integer', notes);
}

export function wholePixels<const N extends ValueNotes>(notes: N): Noted<TInteger, N> {
  return noted(Type.Integer({ minimum: 0 }), 'a whole number of pixels, 0 or more', notes);
}

export function positive<const N extends ValueNotes>(notes: N): Noted<TNumber, N> {
  return noted(Type.Number({ exclusiveMinimum: 0 }), 'a positive number', notes);
}

export function notNegative<const N extends ValueNotes>(notes: N): Noted<TNumber, N> {
  return noted(Type.Number({ minimum: 0 }), 'a number of 0 or more', notes);
}

/** A part of a whole: 0 is allowed, 1 is not. */
export function fraction<const N extends ValueNotes>(notes: N): Noted<TNumber, N> {
  return noted(Type.Number({ minimum: 0, exclusiveMaximum: 1 }), 'a number in [0, 1)', notes);
}

/** A number from 0 to `maximum`, both included. */
export function upTo<const N extends ValueNotes>(maximum: number, notes: N): Noted<TNumber, N> {
  return noted(Type.Number({ minimum: 0, maximum }), `a number in [0, ${maximum}]`, notes);
}

export function positives<const N extends ValueNotes>(notes: N): Noted<TArray<TNumber>, N> {
  return noted(Type.Array(Type.Number({ exclusiveMinimum: 0 })), 'positive numbers', notes);
}

/** The flag `--name` turns it on, `--no-name` turns it off. */
export function onOff<const N extends ValueNotes & { readonly off: string }>(notes: N): Noted<TBoolean, N> {
  return noted(Type.Boolean(), 'true or false', notes);
}

/** Can be set to this one value only: by `--name` if it is true, by `--no-name` if it is false. */
export function only<const V extends boolean, const N extends ValueNotes>(
  value: V,
  notes: N,
): Noted<TLiteral<V>, N> {
  return noted(Type.Literal(value), String(value), notes);
}

export function oneOf<C extends string[], const N extends ValueNotes>(
  choices: readonly [...C],
  notes: N,
): Noted<TEnum<C>, N> {
  return noted(Type.Enum(choices), alternatives(choices), notes);
}

/** `sgd, adam or adamw` */
export function alternatives(words: readonly string[]): string {
  const last = words.slice(-2).join(' or ');
  return [...words.slice(0, -2), last].join(', ');
}

export function noted<S extends TSchema, N extends ValueNotes>(
  schema: S,
  expected: string,
  notes: N,
): Noted<S, N> {
  return Object.assign(schema, { expected }, notes);
}

export function isValueSchema(schema: TSchema): schema is ValueSchema {
  return 'expected' in schema;
}

type Defaulted<P extends TProperties> = {
  [K in keyof P as P[K] extends { readonly default: unknown } ? K : never]-?: Static<P[K]>;
};

/** Adds the schema's default for each value that is left out and has one. */
export function withDefaults<P extends TProperties>(
  { properties }: TObject<P>,
  values: Partial<Defaulted<P>> & Omit<Static<TObject<P>>, keyof Defaulted<P>>,
): Defaulted<P> & Static<TObject<P>> {
  const defaults = Object.entries<TSchema>(properties).flatMap(([name, schema]) =>
    'default' in schema ? [[name, schema.default] as const] : [],
  );
  return { ...Object.fromEntries(defaults), ...values } as Defaulted<P> & Static<TObject<P>>;
}
