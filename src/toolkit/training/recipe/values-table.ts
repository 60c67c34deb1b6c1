// The values that flags can set → their tables, between two markers in docs/training.md.
import { IsBoolean } from '#typebox';
import { type FlagGroup, type FlagUse, flagGroups, type RecipeFlag } from './flags.js';
import { flagOf } from './overrides.js';

const [begin, end] = ['<!-- recipe values: npm run recipe-values -->\n', '<!-- end of recipe values -->\n'];

/** @throws Error if the page does not have both markers. */
export function withValuesTable(page: string): string {
  const [before, rest] = page.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined)
    throw new Error(`The page needs ${begin.trim()} and ${end.trim()}`);
  return `${before}${begin}\n${renderValues()}\n${end}${after}`;
}

export function renderValues(): string {
  return Object.values<FlagGroup>(flagGroups).map(renderGroup).join('\n');
}

function renderGroup({ title, flags, part }: FlagGroup): string {
  const kinds = part?.anyOf.map(
    ({ properties, description }) => `- \`${properties.kind.const}\`: ${description}`,
  );
  const rows = flags.flatMap(({ name, uses }) => uses.map((use) => rowOf(name, use)));
  return [
    `### ${title}\n`,
    ...(kinds ? [...kinds, ''] : []),
    '| value | flag | takes | default | what it does |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function rowOf(name: RecipeFlag['name'], { kinds, schema }: FlagUse): string {
  const flag = flagOf(name);
  const flags = IsBoolean(schema) ? `\`${flag}\`, \`${flag.replace('--', '--no-')}\`` : `\`${flag}\``;
  const fallback = schema.default === undefined ? '' : `\`${schema.default}\``;
  const of = kinds.map((kind) => `\`${kind}\``).join(', ');
  const what = of === '' ? schema.description : `${of}: ${schema.description}`;
  return `| \`${name}\` | ${flags} | ${schema.expected} | ${fallback} | ${what} |`;
}
