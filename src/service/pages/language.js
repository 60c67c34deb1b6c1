// the language of this page → sentences, percentages and durations in that language.
import { messages } from './messages.js';
import { recall, remember } from './preferences.js';

/** @typedef {import('./messages.js').MessageKey} MessageKey */
/** @typedef {keyof typeof messages} Language */

/** @type {Language} */
let language = 'en';

/** The chosen language, else the first language of the browser that the page has. */
export function startLanguage() {
  const wanted = [recall('language') ?? '', ...navigator.languages];
  useLanguage(wanted.map(toLanguage).find((found) => found !== undefined) ?? 'en');
}

export function switchLanguage() {
  useLanguage(language === 'en' ? 'pt-BR' : 'en');
  remember('language', language);
}

/**
 * @param {MessageKey} key
 * @param {Record<string, string | number>} [values]
 */
export function say(key, values = {}) {
  return messages[language][key].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

/** @param {string} code the code of a problem. A code that this page does not know becomes `unknown`. */
export function sayProblem(code) {
  const key = `problem.${code}`;
  return say(key in messages.en ? /** @type {MessageKey} */ (key) : 'problem.unknown');
}

/**
 * Formats a share with one decimal. A share near 0 or 1 is never shown as 0 % or 100 %.
 * @param {number} share 0…1
 */
export function sayPercent(share) {
  const format = new Intl.NumberFormat(language, {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });
  if (share < 1 && share >= 0.9995) return `>\u00a0${format.format(0.999)}`;
  if (share > 0 && share < 0.0005) return `<\u00a0${format.format(0.001)}`;
  return format.format(share);
}

/** @param {number} value */
export function sayMilliseconds(value) {
  const digits = value < 9.95 ? 1 : 0;
  const number = new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${number.format(value)}\u00a0ms`;
}

/** @param {Language} next */
function useLanguage(next) {
  language = next;
  document.documentElement.lang = next;
  for (const element of document.querySelectorAll('[data-text]'))
    element.textContent = say(keyOf(element, 'data-text'));
  for (const element of document.querySelectorAll('[data-label]'))
    element.setAttribute('aria-label', say(keyOf(element, 'data-label')));
  for (const button of document.querySelectorAll('button[data-label]'))
    button.setAttribute('title', say(keyOf(button, 'data-label')));
  document.getElementById('language')?.setAttribute('lang', next === 'en' ? 'pt-BR' : 'en');
}

/**
 * @param {Element} element
 * @param {string} attribute
 */
function keyOf(element, attribute) {
  return /** @type {MessageKey} */ (element.getAttribute(attribute));
}

/**
 * @param {string} tag
 * @returns {Language | undefined}
 */
function toLanguage(tag) {
  if (/^pt\b/i.test(tag)) return 'pt-BR';
  return /^en\b/i.test(tag) ? 'en' : undefined;
}
