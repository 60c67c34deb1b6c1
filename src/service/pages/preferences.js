// the choices on this page → the storage of the browser, if it is available.

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
    // The storage is full or disabled: the choice is kept until the page closes.
  }
}
