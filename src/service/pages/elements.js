// ids of index.html → the elements, with their types.

/**
 * @template {HTMLElement} T
 * @overload
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
/**
 * @overload
 * @param {string} id
 * @returns {HTMLElement}
 */
/** @param {string} id */
export function elementOf(id, kind = HTMLElement) {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`index.html: there is no ${kind.name} #${id}`);
}

/**
 * @param {HTMLImageElement} image shown when it is loaded. A broken file leaves its frame empty.
 * @param {string | undefined} url
 * @param {string} alt
 */
export function setPicture(image, url, alt) {
  image.alt = alt;
  if (image.dataset.url === (url ?? '')) return;
  image.dataset.url = url ?? '';
  image.hidden = true;
  image.onload = () => {
    image.hidden = false;
  };
  if (url) image.src = url;
  else image.removeAttribute('src');
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 */
export function createElement(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}
