// models → two lists to choose from: the model, and its variant.
import { say } from './language.js';
import { recall, remember } from './preferences.js';

/** @typedef {import('./service.js').Model} Model */

/**
 * @param {{ model: HTMLSelectElement, variant: HTMLSelectElement }} selects
 * @param {() => void} onChange
 */
export function createPickers({ model: modelSelect, variant: variantSelect }, onChange) {
  /** @type {Model[]} */
  let models = [];

  const chosen = () => models.find(({ name }) => name === modelSelect.value);

  function renderModels() {
    const wanted = modelSelect.value || recall('model');
    modelSelect.replaceChildren(...models.map(modelOption));
    const ready = models.filter((model) => model.ready);
    const first = ready.find(({ implied }) => implied) ?? ready[0] ?? models[0];
    modelSelect.value = (ready.find(({ name }) => name === wanted) ?? first)?.name ?? '';
    modelSelect.disabled = models.length === 0;
  }

  function renderVariants() {
    const variants = chosen()?.card?.variants ?? {};
    const wanted = variantSelect.value;
    variantSelect.replaceChildren(...Object.keys(variants).map((name) => new Option(name, name)));
    variantSelect.value = wanted in variants ? wanted : (chosen()?.variant ?? '');
    variantSelect.disabled = Object.keys(variants).length === 0;
  }

  modelSelect.addEventListener('change', () => {
    remember('model', modelSelect.value);
    variantSelect.value = '';
    renderVariants();
    onChange();
  });
  variantSelect.addEventListener('change', onChange);

  return {
    chosen,
    choice: () => ({ model: modelSelect.value, variant: variantSelect.value }),
    /** In the current language; the choice stays. */
    render() {
      renderModels();
      renderVariants();
    },
    /** @param {Model[]} next */
    show(next) {
      models = next;
      this.render();
    },
  };
}

/** @param {Model} model */
function modelOption({ name, title, ready }) {
  const option = new Option(ready ? (title ?? name) : `${name}: ${say('notReady')}`, name);
  option.disabled = !ready;
  return option;
}
