// A request of this page → the line that does the same in a POSIX shell.
import { hasApiKey, predictPath } from './service.js';

/**
 * @param {string} file its name.
 * @param {import('./service.js').Choice} choice
 */
export function curlLine(file, choice) {
  const url = new URL(predictPath(choice), document.baseURI).href;
  // The key itself stays out of what is shown and copied.
  const key = hasApiKey() ? '-H "x-api-key: $KEY" ' : '';
  return `curl ${key}-F ${quote(`file=@${quoteForm(file)}`)} ${quote(url)}`;
}

/** curl splits a form's value at ; and , unless it stands in double quotes. @param {string} file */
function quoteForm(file) {
  return /[;,"\\]/.test(file) ? `"${file.replace(/["\\]/g, '\\$&')}"` : file;
}

/** @param {string} word */
function quote(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Pages that don't come over HTTPS or from this machine have no clipboard of their own.
 * @param {HTMLInputElement} input holds the text.
 */
export async function copyText(input) {
  if (navigator.clipboard) return navigator.clipboard.writeText(input.value);
  input.select();
  document.execCommand('copy');
}
