// a part of a recipe with several kinds, such as the optimiser → its kinds, and the options of each.
import { type Static, type TLiteral, type TObject, type TProperties, type TUnion, Type } from '#typebox';
import type { ValueSchema } from '../../value-schema.js';

interface Described {
  /** For a list in the docs: no capital, no full stop. */
  readonly description: string;
}

export type Kind<K extends string, P extends TProperties> = TObject<P & { kind: TLiteral<K> }> & Described;
export type KindSchema = TObject<{ kind: TLiteral<string> }> & Described;
export type Part = TUnion<KindSchema[]>;

export function kind<const K extends string, P extends TProperties>(
  name: K,
  description: string,
  options: P,
): Kind<K, P> {
  return Object.assign(Type.Object({ ...options, kind: Type.Literal(name) }), { description });
}

type Kinds<V extends KindSchema[]> = { [I in keyof V]: Static<V[I]>['kind'] };

export function kindsOf<V extends KindSchema[]>({ anyOf }: TUnion<V>): Kinds<V> {
  return anyOf.map(({ properties }) => properties.kind.const) as Kinds<V>;
}

/** All values of a kind except `kind`. */
export function optionsOf<P extends TProperties & { kind: TLiteral<string> }>({
  properties,
}: TObject<P>): Omit<P, 'kind'> {
  const { kind: _, ...options } = properties;
  return options;
}

/** The kinds by name, each with its options by name. */
export function optionsByKind({ anyOf }: Part): Map<string, Readonly<Record<string, ValueSchema>>> {
  return new Map(
    anyOf.map((kind) => [kind.properties.kind.const, optionsOf(kind) as Record<string, ValueSchema>]),
  );
}
