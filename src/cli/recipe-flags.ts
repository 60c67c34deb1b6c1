// A group of a recipe's values → the flags of a command that set them, with their help and parsers.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { IsArray, IsBoolean, IsEnum, IsInteger, IsLiteral, IsUnion } from '#typebox';
import type { FlagGroup, FlagUse, RecipeFlag } from '../toolkit/training/recipe/flags.js';
import { flagOf } from '../toolkit/training/recipe/overrides.js';
import type { ValueSchema } from '../toolkit/value-schema.js';

/** @param title replaces the group's own title. */
export function addRecipeFlags(command: Command, group: FlagGroup, title = group.title): Command {
  command.optionsGroup(`${title}:`);
  for (const option of group.flags.flatMap(optionsOf)) command.addOption(option);
  return command;
}

function optionsOf({ name, uses }: RecipeFlag): Option[] {
  const flag = flagOf(name);
  const [{ schema }] = uses;
  if (IsLiteral(schema)) return [new Option(flag, schema.description)];
  if (IsBoolean(schema)) return switchOptions(flag, uses[0]);
  const option = new Option(`${flag} <${argumentOf(schema)}>`, uses.map(helpOf).join('; '));
  return [IsEnum(schema) ? option.choices(schema.enum.map(String)) : option.argParser(parserOf(schema))];
}

function switchOptions(flag: string, { kinds, schema }: FlagUse): Option[] {
  const { description, off, default: fallback } = schema;
  return [
    new Option(flag, `${prefix(kinds)}${description}${fallback === true ? ' (default)' : ''}`),
    new Option(
      flag.replace('--', '--no-'),
      `${prefix(kinds)}${off}${fallback === false ? ' (default)' : ''}`,
    ),
  ];
}

function argumentOf(schema: ValueSchema): string {
  if (schema.argument !== undefined) return schema.argument;
  if (IsEnum(schema)) return 'kind';
  return IsInteger(schema) ? 'n' : 'x';
}

/** `sgd: L2 penalty, added to the gradient (default: 0)` */
function helpOf({ kinds, schema }: FlagUse): string {
  return `${prefix(kinds)}${valueHelp(schema)}`;
}

export function valueHelp({ description, default: fallback }: ValueSchema): string {
  return fallback === undefined ? description : `${description} (default: ${fallback})`;
}

function prefix(kinds: readonly string[]): string {
  return kinds.length === 0 ? '' : `${kinds.join(', ')}: `;
}

/** Parses only the type; the recipe's own check enforces the range. */
function parserOf(schema: ValueSchema): (text: string) => unknown {
  if (IsArray(schema)) return (text) => text.split(',').map(number);
  if (!IsUnion(schema)) return number;
  const words = schema.anyOf.flatMap((part) => (IsLiteral(part) ? [String(part.const)] : []));
  return (text) => (words.includes(text) ? text : number(text));
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('expected a number');
  return value;
}
