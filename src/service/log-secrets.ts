// the text of a URL or of a line for the log → the same without API keys and without values that nobody needs there.
import { cut } from './cut.js';
import { pathOf } from './request-target.js';

/** The parameters of the API. The value of any other one may be a secret, whatever its name is. */
const loggedParameters = new Set(['top', 'timings', 'variant', 'model']);

const hidden = '…';

/** Returns the path and the query. Only parameters of the API keep their values. */
export function describeUrl(url: string): string {
  const path = pathOf(url);
  if (path.length === url.length) return cut(path);
  const parameters = url
    .slice(path.length + 1)
    .split('&')
    .map((parameter) => {
      const [name = ''] = parameter.split('=', 1);
      return loggedParameters.has(name) || name === parameter ? parameter : `${name}=${hidden}`;
    });
  return `${cut(path)}?${cut(parameters.join('&'))}`;
}

/** Returns a function that hides the keys in a line of JSON: as they are, as JSON escapes them, and with any percent escapes. */
export function createKeyHider(apiKeys: readonly string[]): (line: string) => string {
  if (apiKeys.length === 0) return (line) => line;
  const alternatives = apiKeys
    .toSorted((a, b) => b.length - a.length)
    .map((key) => [...key].map(patternOf).join(''));
  const pattern = new RegExp(alternatives.join('|'), 'g');
  return (line) => line.replace(pattern, hidden);
}

/** Matches one character in each of its forms. */
function patternOf(character: string): string {
  const escaped = character.charCodeAt(0).toString(16);
  const anyCase = escaped.replace(/[a-f]/, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const literal = JSON.stringify(character).slice(1, -1).replace(/\W/g, '\\$&');
  return `(?:${literal}|%${anyCase})`;
}
