// The light or dark theme: the one that was chosen on this page, else that of the system.
import { say } from './language.js';
import { recall, remember } from './preferences.js';

const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

/**
 * @param {HTMLButtonElement} button switches.
 * @param {() => void} onChange
 */
export function createTheme(button, onChange) {
  const { dataset } = document.documentElement;
  const chosen = recall('theme');
  if (chosen === 'light' || chosen === 'dark') dataset.theme = chosen;

  function isDark() {
    return dataset.theme === undefined ? systemIsDark.matches : dataset.theme === 'dark';
  }

  function render() {
    const label = say(isDark() ? 'lightTheme' : 'darkTheme');
    button.setAttribute('aria-label', label);
    button.title = label;
  }

  function change() {
    render();
    onChange();
  }

  button.addEventListener('click', () => {
    dataset.theme = isDark() ? 'light' : 'dark';
    remember('theme', dataset.theme);
    change();
  });
  systemIsDark.addEventListener('change', change);
  return { render };
}
