// Options read, and how this process was called, for the records that say what made a model.
import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';

export const { version, devDependencies } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as {
  version: string;
  devDependencies: Record<string, string>;
};

export function toolVersion(): string {
  return `quati ${version}`;
}

/** `npx quati …` as a shell takes it again. */
export function commandLine(argv: readonly string[] = process.argv.slice(2)): string {
  return ['npx quati', ...argv.map(quoted)].join(' ');
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a positive integer');
  return value;
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('expected a whole number');
  return value;
}

/** From the environment it is in no list of processes and in no shell's history. */
export function apiKeyOption(): Option {
  return new Option('--api-key <key>', 'for a server that asks for one').env('QUATI_API_KEY');
}

/** Without a slash at the end. */
export function parseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw new InvalidArgumentError('expected an http(s) URL, e.g. http://localhost:8000');
  return text.replace(/\/$/, '');
}
