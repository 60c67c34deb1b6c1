// Texts of flags → their values; and this process's command line, for a model's record.
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

/** The command line `npx quati …`, quoted so that a shell can run it again. */
export function commandLine(argv: readonly string[] = process.argv.slice(2)): string {
  return ['npx quati', ...argv.map(quoted)].join(' ');
}

/** Quotes a word for a shell, if it needs quotes. */
export function quoted(argument: string): string {
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

/** The environment keeps the key out of process lists and shell histories. */
export function apiKeyOption(): Option {
  return new Option('--api-key <key>', 'the key for a server that requires one').env('QUATI_API_KEY');
}

/** The URL without a slash at the end. */
export function parseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw new InvalidArgumentError('expected an http(s) URL, e.g. http://localhost:8000');
  return text.replace(/\/$/, '');
}
