// What was chosen on this page → kept by the browser, where it lets us.

/** @param {string} name */
export function recall(name) {
  try {
    return localStorage.getItem(`quati.${name}`);
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
export function remember(name, value) {
  try {
    localStorage.setItem(`quati.${name}`, value);
  } catch {
    // Storage is full or shut: the choice holds until the page is left.
  }
}
