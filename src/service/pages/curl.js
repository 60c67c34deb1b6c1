// a request of this page → a curl command for a POSIX shell that sends the same request.
import { hasApiKey, predictPath } from './service.js';

/**
 * @param {string} file the name of the file.
 * @param {import('./service.js').Choice} choice
 */
export function curlLine(file, choice) {
  const url = new URL(predictPath(choice), document.baseURI).href;
  // The command is shown and copied, so it must not contain the key.
  const key = hasApiKey() ? '-H "x-api-key: $KEY" ' : '';
  return `curl ${key}-F ${quote(`file=@${quoteForm(file)}`)} ${quote(url)}`;
}

/** curl splits a value of a form at ; and , unless it is in double quotes. @param {string} file */
function quoteForm(file) {
  return /[;,"\\]/.test(file) ? `"${file.replace(/["\\]/g, '\\$&')}"` : file;
}

/** @param {string} word */
function quote(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Copies the text. Without HTTPS, and not from this machine, a page has no clipboard API, so the text is selected and copied.
 * @param {HTMLInputElement} input holds the text.
 */
export async function copyText(input) {
  if (navigator.clipboard) return navigator.clipboard.writeText(input.value);
  input.select();
  document.execCommand('copy');
}
